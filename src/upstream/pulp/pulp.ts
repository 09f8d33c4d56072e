/** An RPM repository of Pulp, with what composes ask of it. */
export interface PulpRepository {
  /** Id of a repository of Pulp 2, name of a distribution of Pulp 3. */
  readonly id: string;
  readonly contentSet: string | null;
  /** Where clients read it, without a slash at its end. */
  readonly url: string;
  /** Where the service reads it. */
  readonly ownUrl: string;
  /** Null where Pulp does not say. */
  readonly arch: string | null;
  /** Keys its packages are signed with, sorted. */
  readonly signatures: readonly string[];
  /** `8.2`, one or several. */
  readonly productVersions: readonly string[];
  /** Whether it is meant for clients. */
  readonly isPublished: boolean;
}

/** What is asked of Pulp. Both throw `upstream.*`, `http.*`, `pulp.api_missing`, `pulp.path_outside`. */
export interface Pulp {
  /** Returns the repositories of content sets, unpublished ones only where they are asked for. */
  findByContentSet(
    names: readonly string[],
    options: { readonly withUnpublished: boolean; readonly signal: AbortSignal },
  ): Promise<readonly PulpRepository[]>;
  /** Returns the repositories of these ids, those that there are, unpublished ones too. */
  findById(
    ids: readonly string[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly PulpRepository[]>;
}

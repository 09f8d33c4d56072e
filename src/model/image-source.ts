/** Where the service itself reads what an image holds. */
export type ImageSource =
  /** A lock file `rpms.lock.yaml`, which lists every arch. */
  | { readonly kind: 'lock'; readonly url: string }
  /** A bill of materials of each basearch. */
  | { readonly kind: 'sboms'; readonly urls: Readonly<Record<string, string>> };

/** Returns the URLs of a source. */
export function urlsOf(source: ImageSource): readonly string[] {
  switch (source.kind) {
    case 'lock':
      return [source.url];
    case 'sboms':
      return Object.values(source.urls);
    default:
      return source satisfies never;
  }
}

/** What a server said of a file when it was read, by URL: the next question asks for a newer one only. */
export type ImageValidators = Readonly<Record<string, ImageValidator>>;
export interface ImageValidator {
  readonly etag?: string;
  /** As `Last-Modified` says it. */
  readonly modified?: string;
}

/** Why an image's source could not be read. */
export interface ImageProblem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

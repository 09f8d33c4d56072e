import type { ComposeDocument, SelectedTree } from '../selection.ts';

/** A kind of file that a tree may have beside its packages. Everything that is special about it is in its own file. */
export interface DocumentType extends Pick<ComposeDocument, 'type' | 'name' | 'compression'> {
  /** The source types that take it over from the repositories they read. */
  readonly carriedBy: readonly ('repo' | 'compose')[];
  /**
   * Returns the one document of a tree that says what several say, or null where nothing is left to be said. It is
   * also asked where there is but one, for a tree may hold less than the repository the document came from.
   */
  readonly unite: (
    documents: readonly Uint8Array[],
    tree: SelectedTree,
  ) => Uint8Array | null | Promise<Uint8Array | null>;
  /**
   * The beginning of the sentence about documents that turn out to be damaged, where a compose is made without them;
   * otherwise they fail it.
   */
  readonly leftOut?: string;
}

/** Returns a document of a type for a tree. */
export function documentOf(
  { type, name, compression }: DocumentType,
  { variant, arch }: Pick<SelectedTree, 'variant' | 'arch'>,
  bytes: Uint8Array,
): ComposeDocument {
  return { variant, arch, type, name, bytes, compression };
}

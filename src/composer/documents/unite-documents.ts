import type { ComposeDocument, SelectedTree } from '../selection.ts';
import { documentOf, type DocumentType } from './document-type.ts';

/**
 * Returns the documents of some trees with one of each type a tree, in the order of the trees. Throws what uniting a
 * type throws.
 */
export function uniteDocuments(
  types: readonly DocumentType[],
  trees: readonly SelectedTree[],
  documents: readonly ComposeDocument[],
): readonly ComposeDocument[] {
  const unknown = documents.find((one) => !types.some(({ type }) => type === one.type));
  if (unknown !== undefined) throw new Error(`no document type is called ${unknown.type}`);
  return trees.flatMap((tree) =>
    types.flatMap((type) => {
      const here = documents.filter(
        (one) => one.type === type.type && one.variant === tree.variant && one.arch === tree.arch,
      );
      const bytes =
        here.length === 0
          ? null
          : type.unite(
              here.map((one) => one.bytes),
              tree,
            );
      return bytes === null ? [] : [documentOf(type, tree, bytes)];
    }),
  );
}

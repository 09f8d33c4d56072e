import type { ComposeDocument, SelectedTree } from '../selection.ts';
import type { DocumentList } from './carry-documents.ts';
import { sentenceAboutDamage } from './damage.ts';
import { documentOf, type DocumentType } from './document-type.ts';

/**
 * Returns the documents of some trees with one of each type a tree, in the order of the trees. Throws what uniting a
 * type throws where that is not left out.
 */
export async function uniteDocuments(
  types: readonly DocumentType[],
  trees: readonly SelectedTree[],
  documents: readonly ComposeDocument[],
): Promise<DocumentList> {
  const unknown = documents.find((document) => !types.some(({ type }) => type === document.type));
  if (unknown !== undefined) throw new Error(`no document type is called ${unknown.type}`);
  const united: ComposeDocument[] = [];
  const remarks = new Set<string>();
  for (const tree of trees) {
    for (const type of types) {
      const here = documents.filter(
        (document) =>
          document.type === type.type && document.variant === tree.variant && document.arch === tree.arch,
      );
      if (here.length === 0) continue;
      try {
        const bytes = await type.unite(
          here.map((document) => document.bytes),
          tree,
        );
        if (bytes !== null) united.push(documentOf(type, tree, bytes));
      } catch (error) {
        const sentence = sentenceAboutDamage(type, error);
        if (sentence === null) throw error;
        remarks.add(sentence);
      }
    }
  }
  return { documents: united, remarks: [...remarks] };
}

import type { Repository } from '../../rpm/repodata/read-repository.ts';
import type { ComposeDocument, SelectedTree } from '../selection.ts';
import { sentenceAboutDamage } from './damage.ts';
import { documentOf, type DocumentType } from './document-type.ts';

/** Documents, and a sentence about each that was left out because it is damaged. */
export interface DocumentList {
  readonly documents: readonly ComposeDocument[];
  readonly remarks: readonly string[];
}

/**
 * Returns the documents of a repository that a source type takes over, as they are there. Throws what reading a record
 * throws where its type is not left out.
 */
export async function carryDocuments(
  by: DocumentType['carriedBy'][number],
  repository: Repository,
  tree: Pick<SelectedTree, 'variant' | 'arch'>,
  types: readonly DocumentType[],
): Promise<DocumentList> {
  const documents: ComposeDocument[] = [];
  const remarks: string[] = [];
  for (const type of types) {
    if (!type.carriedBy.includes(by) || repository.record(type.type) === null) continue;
    try {
      documents.push(documentOf(type, tree, await repository.readRecord(type.type)));
    } catch (error) {
      const sentence = sentenceAboutDamage(type, error);
      if (sentence === null) throw error;
      remarks.push(sentence);
    }
  }
  return { documents, remarks };
}

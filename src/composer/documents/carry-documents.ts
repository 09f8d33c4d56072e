import type { Repository } from '../../rpm/repodata/read-repository.ts';
import type { ComposeDocument, SelectedTree } from '../selection.ts';
import { documentOf, type DocumentType } from './document-type.ts';

/**
 * Returns the documents of a repository that a source type takes over, as they are there. Throws what reading a record
 * throws.
 */
export async function carryDocuments(
  by: DocumentType['carriedBy'][number],
  repository: Repository,
  tree: Pick<SelectedTree, 'variant' | 'arch'>,
  types: readonly DocumentType[],
): Promise<readonly ComposeDocument[]> {
  const documents: ComposeDocument[] = [];
  for (const type of types) {
    if (!type.carriedBy.includes(by) || repository.record(type.type) === null) continue;
    documents.push(documentOf(type, tree, await repository.readRecord(type.type)));
  }
  return documents;
}

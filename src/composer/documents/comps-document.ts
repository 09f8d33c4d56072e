import { formatComps } from '../../rpm/comps.ts';
import type { ComposeDocument, SelectedTree } from '../selection.ts';
import { documentOf, type DocumentType } from './document-type.ts';

/** Comps: the one group of what was asked for. Those of the first source count. Source: pungi contract 0 and 4.8. */
export const compsDocument: DocumentType = {
  type: 'group',
  name: 'comps.xml',
  // Readers of `group` expect it plain.
  compression: 'none',
  carriedBy: [],
  unite: ([first]) => first ?? null,
};

/** Returns the comps of every tree for the packages that a request names; of everything they have none. */
export function listComps(
  trees: readonly SelectedTree[],
  packages: readonly string[] = [],
): readonly ComposeDocument[] {
  const bytes = Buffer.from(formatComps(packages));
  return trees.map((tree) => documentOf(compsDocument, tree, bytes));
}

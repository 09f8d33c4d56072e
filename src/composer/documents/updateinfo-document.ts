import { uniteAdvisories, type Advisory } from '../../rpm/advisory.ts';
import { formatUpdateinfo } from '../../rpm/format-updateinfo.ts';
import { readUpdateinfo } from '../../rpm/updateinfo.ts';
import type { ComposeDocument, SelectedTree } from '../selection.ts';
import { documentOf, type DocumentType } from './document-type.ts';

/** The advisories about packages of a tree, debug and source packages among them. Uniting throws what reading them throws. */
export const updateinfoDocument: DocumentType = {
  type: 'updateinfo',
  name: 'updateinfo.xml',
  compression: 'gzip',
  carriedBy: ['repo', 'compose'],
  leftOut: 'The advisories of a source cannot be read and are left out',
  async unite(documents, tree) {
    const nevras = nevrasOf(tree);
    const reading = { where: `updateinfo for ${tree.arch}`, holds: (nevra: string) => nevras.has(nevra) };
    const read: Advisory[] = [];
    for (const bytes of documents) read.push(...(await readUpdateinfo(bytes, reading)));
    return bytesOf(read);
  },
};

/** Returns the document of a tree that tells some advisories; none where there are none. */
export function listUpdateinfo(
  tree: SelectedTree,
  advisories: readonly Advisory[],
): readonly ComposeDocument[] {
  const bytes = bytesOf(advisories);
  return bytes === null ? [] : [documentOf(updateinfoDocument, tree, bytes)];
}

function bytesOf(advisories: readonly Advisory[]): Uint8Array | null {
  const united = uniteAdvisories(advisories);
  return united.length === 0 ? null : formatUpdateinfo(united);
}

function nevrasOf({ binary, debug, source }: SelectedTree): ReadonlySet<string> {
  return new Set([...binary, ...debug, ...source].map((selected) => selected.package.nevra));
}

import { formatSummaries, summariseAdvisories } from '../../rpm/advisory-summary.ts';
import { readUpdateinfo } from '../../rpm/updateinfo.ts';
import { updateinfoDocument } from '../documents/updateinfo-document.ts';
import type { Pen } from '../pen.ts';
import type { Selection } from '../selection.ts';

/** Where the advisories of a compose are told for its pages, below its directory. */
const SUMMARY_FILE = 'logs/global/advisories.json';

/** Writes what the updateinfo of a compose tells; nothing where it has none. */
export async function writeAdvisories({ documents }: Pick<Selection, 'documents'>, pen: Pen): Promise<void> {
  const trees = [];
  for (const { type, arch, bytes } of documents) {
    if (type !== updateinfoDocument.type) continue;
    const reading = { where: `updateinfo for ${arch}`, holds: () => true };
    trees.push({ arch, advisories: await readUpdateinfo(bytes, reading) });
  }
  if (trees.length > 0) pen.writeFile(SUMMARY_FILE, formatSummaries(summariseAdvisories(trees)));
}

import { KeptWith } from '../../kept-with.ts';
import { formatSummaries, summariseAdvisories, type AdvisorySummary } from '../../rpm/advisory-summary.ts';
import { readWrittenUpdateinfo } from '../../rpm/read-written-updateinfo.ts';
import { updateinfoDocument } from '../documents/updateinfo-document.ts';
import type { Pen } from '../pen.ts';
import type { Selection } from '../selection.ts';

/** Where the advisories of a compose are told for its pages, below its directory. */
export const ADVISORIES_FILE = 'logs/global/advisories.json';

/** Writes what the updateinfo of a compose tells; nothing where it has none. */
export async function writeAdvisories(selection: Pick<Selection, 'documents'>, pen: Pen): Promise<void> {
  if (!selection.documents.some(({ type }) => type === updateinfoDocument.type)) return;
  pen.writeFile(ADVISORIES_FILE, formatSummaries(await summariesOf(selection)));
}

/** A compose asks for them when it is planned, and again when it is written. */
const keptSummaries = new KeptWith<Selection['documents'], readonly AdvisorySummary[]>();

/** Returns what the updateinfo of a compose tells, each advisory once. */
export async function summariesOf({
  documents,
}: Pick<Selection, 'documents'>): Promise<readonly AdvisorySummary[]> {
  const kept = keptSummaries.get(documents);
  if (kept !== undefined) return kept;
  const trees = [];
  for (const { type, arch, bytes } of documents) {
    if (type !== updateinfoDocument.type) continue;
    trees.push({ arch, advisories: await readWrittenUpdateinfo(bytes, { where: `updateinfo for ${arch}` }) });
  }
  const summaries = summariseAdvisories(trees);
  keptSummaries.set(documents, summaries);
  return summaries;
}

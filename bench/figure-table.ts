import { z } from 'zod';
import { figureSchema, type Figure, type Taken } from './figures.ts';

/** All figures of one run, as a line of `history.jsonl`. */
export const recordSchema = z.object({
  commit: z.string(),
  date: z.iso.datetime(),
  node: z.string(),
  cpus: z.object({ model: z.string(), count: z.number() }),
  /** How many processes wanted to run when it began, and when it ended: a busy machine is slower. */
  load: z.object({ begin: z.number(), end: z.number() }),
  isShort: z.boolean(),
  figures: z.array(figureSchema),
});

export type FigureRecord = z.infer<typeof recordSchema>;

/** Returns the table of a record in Markdown: ours, the peers' and how many times ours they took, CPU before wall. */
export function formatTable({ figures }: Pick<FigureRecord, 'figures'>): string {
  // What two benchmarks measure is shown once, as it was seen last.
  const rows = [...new Map(figures.map((figure) => [figure.id, figure])).values()].map(
    (figure) =>
      `| ${figure.what} | ${formatTaken(figure.ours)} | ${figure.peers.map((peer) => `${peer.name}${peer.isRecorded === true ? ' (recorded)' : ''} ${formatTaken(peer)}`).join('; ')} | ${formatRatios(figure)} |`,
  );
  return ['| what | ours | peer, same run | times ours |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function formatRatios({ ours, peers }: Figure): string {
  return peers
    .map((peer) => ratioOf(ours, peer))
    .filter((ratio) => ratio !== null)
    .map((ratio) => ratio.toFixed(ratio < 10 ? 1 : 0))
    .join('; ');
}

/** Returns how many times ours the peer took: of CPU where both were measured, of wall time otherwise. */
export function ratioOf(ours: Taken, peer: Taken): number | null {
  if (ours.cpuMs !== undefined && peer.cpuMs !== undefined) return peer.cpuMs / ours.cpuMs;
  if (ours.wallMs !== undefined && peer.wallMs !== undefined) return peer.wallMs / ours.wallMs;
  if (ours.perSecond !== undefined && peer.perSecond !== undefined) return ours.perSecond / peer.perSecond;
  return null;
}

function formatTaken(taken: Taken): string {
  const { cpuMs, wallMs, wallMs99, perSecond, peakMib } = taken;
  return [
    ...(cpuMs === undefined ? [] : [`${formatTime(cpuMs)} CPU`]),
    ...(wallMs === undefined ? [] : [`${formatTime(wallMs)}${cpuMs === undefined ? '' : ' wall'}`]),
    ...(wallMs99 === undefined ? [] : [`99 of 100 within ${formatTime(wallMs99)}`]),
    ...(perSecond === undefined ? [] : [`${Math.round(perSecond).toLocaleString('en')} a second`]),
    ...(peakMib === undefined ? [] : [`${Math.round(peakMib)} MiB`]),
  ].join(', ');
}

function formatTime(milliseconds: number): string {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
}

const FROM =
  '<!-- figures: `npm run bench -- table` writes this from the last line of bench/history.jsonl -->';
const TO = '<!-- end of figures -->';

/** Returns the text with the table of a record between its marks. Throws where the marks are missing. */
export function placeTable(text: string, record: FigureRecord): string {
  const from = text.indexOf(FROM);
  const to = text.indexOf(TO);
  if (from === -1 || to < from) throw new Error(`The table belongs between "${FROM}" and "${TO}".`);
  const seen = `Measured at ${record.commit.slice(0, 7)} on ${record.date.slice(0, 10)}, ${record.cpus.count} x ${record.cpus.model}, Node ${record.node}, load ${record.load.begin.toFixed(1)} to ${record.load.end.toFixed(1)}:`;
  return `${text.slice(0, from)}${FROM}\n${seen}\n\n${formatTable(record)}${text.slice(to)}`;
}

/** Returns the last record of a history, a record a line. Throws where there is none, or the last is none. */
export function lastRecord(history: string): FigureRecord {
  const line = history.trim().split('\n').at(-1) ?? '';
  if (line === '') throw new Error('The history is empty.');
  return recordSchema.parse(JSON.parse(line));
}

import { KeptWith } from '../kept-with.ts';
import type { Advisory } from './advisory.ts';
import { advisoriesIn, formatUpdateinfo } from './format-updateinfo.ts';
import { readUpdateinfo } from './updateinfo.ts';

/** Advisories as they are read once they were written, with what XML cannot hold replaced and long texts cut. */
const keptReadings = new KeptWith<Advisory, Advisory>();

/**
 * Reads all advisories of an updateinfo.xml. Of one that this process wrote, only those are read that were not read from
 * one before. Throws what `readUpdateinfo` throws.
 */
export async function readWrittenUpdateinfo(
  bytes: Uint8Array,
  { where }: { readonly where: string },
): Promise<readonly Advisory[]> {
  const reading = { where, holds: () => true };
  const written = advisoriesIn(bytes);
  if (written === undefined) return readUpdateinfo(bytes, reading);
  const unread = written.filter((advisory) => keptReadings.get(advisory) === undefined);
  const read = unread.length === 0 ? [] : await readUpdateinfo(formatUpdateinfo(unread), reading);
  // Readers pass over advisories without an id or packages: then it cannot be told which was read as which.
  if (read.length !== unread.length) return readUpdateinfo(bytes, reading);
  for (const [at, advisory] of read.entries()) {
    const original = unread[at];
    if (original !== undefined) keptReadings.set(original, advisory);
  }
  return written.flatMap((advisory) => keptReadings.get(advisory) ?? []);
}

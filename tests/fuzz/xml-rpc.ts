import { readRecordedAnswer, listRecordings } from '../upstream/koji/recordings.ts';
import { assertLinear } from './growth.ts';
import type { FuzzRun } from './main.ts';
import { fuzzCases } from './mutate.ts';
import { listXmlRpcShapes, readInPieces } from './xml-rpc-shapes.ts';

const SMALLEST = 8 * 1024;
const LARGEST = 1024 * 1024;
/** Recordings that are longer would be most of the time. */
const MOST_BYTES = 20_000;

/**
 * Reads hostile answers of a hub at doubling sizes, where the time for a byte may not grow, then changed recordings:
 * nothing but an `XmlRpcSyntaxError` may come out.
 */
export async function fuzz(run: FuzzRun): Promise<number> {
  let shapes = 0;
  for (const shape of listXmlRpcShapes()) {
    await assertLinear(shape, { from: SMALLEST, to: LARGEST });
    shapes += 1;
  }
  const answers = listRecordings()
    .map(readRecordedAnswer)
    .filter((bytes) => bytes.length < MOST_BYTES);
  let turn = 0;
  const changed = await fuzzCases(run, async (mutate) => {
    const bytes = answers[(turn += 1) % answers.length];
    if (bytes !== undefined) readInPieces(mutate(bytes), 1 + (turn % 700));
  });
  return shapes + changed;
}

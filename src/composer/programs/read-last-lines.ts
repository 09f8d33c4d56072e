import { readBounded } from './read-bounded.ts';

const TAIL_BYTES = 4_096;
const TAIL_LINES = 5;

/** Returns the last lines of a log; empty where there is none. */
export async function readLastLines(path: string): Promise<string> {
  const text = await readBounded(path, { bytes: TAIL_BYTES, from: 'end' });
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

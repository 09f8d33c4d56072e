import { setImmediate } from 'node:timers/promises';
import { ReactorError } from '../../src/model/errors.ts';
import type { FuzzRun } from './main.ts';
import { Random } from './random.ts';

/** Returns a changed copy of a seed. */
export type Mutate = (seed: Uint8Array) => Buffer;

/** A case that takes longer is a hang. */
const MOST_MILLISECONDS = 5000;
const MEGABYTES = 1024;
const fragments = [
  '<',
  '>',
  '&',
  '"',
  "'",
  '</package>',
  '<package type="rpm">',
  '<!DOCTYPE',
  '&amp;',
  '(',
  ')',
  ' if ',
  ' or ',
  '<![CDATA[',
];

function change(random: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return Buffer.from(random.pick(['<', 'a']));
  const at = random.below(bytes.length);
  const to = Math.min(bytes.length, at + 1 + random.below(random.pick([2, 64, 4096])));
  switch (random.below(6)) {
    case 0: {
      const changed = Buffer.from(bytes);
      changed[at] = random.below(256);
      return changed;
    }
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at, to), bytes.subarray(to)]);
    case 4: {
      const index = random.below(fragments.length);
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(fragments[index] ?? '<'), bytes.subarray(at)]);
    }
    default:
      return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
  }
}

/**
 * Runs a case with changed seeds until the time is over. Returns how many were tried. Anything thrown but a
 * ReactorError, a case of more than 5 s, or 1 GiB of process memory ends it with an error.
 */
export async function fuzzCases(
  { seed, lasting }: FuzzRun,
  tryCase: (mutate: Mutate) => Promise<void>,
): Promise<number> {
  const random = new Random(seed);
  let cases = 0;
  const until = Date.now() + lasting;
  while (Date.now() < until) {
    const begin = Date.now();
    try {
      await tryCase((bytes) => {
        let changed = Buffer.from(bytes);
        for (let left = 1 + random.below(4); left > 0; left -= 1)
          changed = Buffer.from(change(random, changed));
        return changed;
      });
    } catch (thrown) {
      if (!(thrown instanceof ReactorError))
        throw new Error(`Case ${cases} of seed ${seed}.`, { cause: thrown });
    }
    if (Date.now() - begin > MOST_MILLISECONDS) throw new Error(`Case ${cases} of seed ${seed} hangs.`);
    cases += 1;
    // What was collected is freed only between two turns of the event loop.
    if (cases % 256 === 0) await setImmediate();
    if (cases % 256 === 0 && process.memoryUsage.rss() > MEGABYTES * 2 ** 20) {
      throw new Error(`Case ${cases} of seed ${seed} needs more than ${MEGABYTES} MiB.`);
    }
  }
  return cases;
}

import assert from 'node:assert/strict';
import { ReactorError } from '../../src/model/errors.ts';

/** An input that grows by a parameter, and what reads it. */
export interface Growing {
  readonly what: string;
  /** An input of about so many bytes. */
  readonly make: (bytes: number) => Buffer;
  /** Reads it; a ReactorError is an answer like any other. */
  readonly read: (input: Buffer) => unknown;
}

/** So much CPU per byte may grow between the smallest size that was measured and the largest. */
const MOST_GROWTH = 4;
/** Shorter times say more about the machine than about the input. */
const LEAST_SECONDS = 0.02;
/** No input of a few megabytes takes so long; where it does, larger ones are not tried. */
const MOST_SECONDS = 5;

async function secondsOf({ read }: Growing, input: Buffer): Promise<number> {
  const before = process.threadCpuUsage();
  try {
    await read(input);
  } catch (thrown) {
    if (!(thrown instanceof ReactorError)) throw thrown;
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1e6;
}

/**
 * Reads an input at doubling sizes and throws where the CPU time for a byte grows with the size, as it does where a
 * scanner goes over the same bytes again and again.
 */
export async function assertLinear(
  growing: Growing,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  for (let size = from; size <= to; size *= 2) {
    const input = growing.make(size);
    let seconds = await secondsOf(growing, input);
    // Others on the machine only ever make it slower.
    if (seconds > LEAST_SECONDS) seconds = Math.min(seconds, await secondsOf(growing, input));
    const told = `${growing.what}: ${input.length} bytes take ${seconds.toFixed(2)} s of CPU`;
    assert.ok(seconds < MOST_SECONDS, told);
    const perByte = Math.max(seconds, LEAST_SECONDS) / input.length;
    assert.ok(
      perByte <= least * MOST_GROWTH,
      `${told}, ${(perByte / least).toFixed(1)} times as much a byte`,
    );
    least = Math.min(least, perByte);
  }
}

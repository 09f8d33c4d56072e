import { setImmediate } from 'node:timers/promises';

/** Bytes that are worked at in one turn of the event loop: some 10 ms for a scanner or a checksum. */
export const SLICE = 4 * 1024 * 1024;

/** Cuts bytes into slices and lets the rest of the process have its turn between two of them. */
export async function* inSlices(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += SLICE) {
    if (at > 0) await setImmediate();
    yield bytes.subarray(at, at + SLICE);
  }
}

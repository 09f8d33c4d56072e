import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { moduleBeside } from '../../module-beside.ts';

export const PART_SIZE = 4 * 1024 * 1024;
/** Parts that wait to be used while the next one is made. */
export const PARTS_AHEAD = 2;

/** What the thread is given: `untaken` counts the parts it has made that nobody has used. */
export interface BunzipRequest {
  readonly packed: Uint8Array;
  readonly limit: number;
  readonly untaken: Int32Array;
}

/** What the thread says: parts, then how it ended. */
export type BunzipAnswer =
  | { readonly part: Uint8Array<ArrayBuffer> }
  | { readonly end: 'whole' }
  | { readonly end: 'too_large' }
  | { readonly end: 'broken'; readonly reason: string };

/** Content that would become larger than it may. */
export class BunzipTooLarge extends Error {}

/**
 * Decompresses bzip2, of several streams too, on a thread of its own: its decoder is slow and does not rest. Throws
 * `BunzipTooLarge` beyond `limit` bytes, and an error for what is no bzip2 or is damaged.
 */
export async function* bunzipParts(packed: Uint8Array, limit: number): AsyncGenerator<Buffer> {
  const untaken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const request: BunzipRequest = { packed, limit, untaken };
  const worker = new Worker(moduleBeside('bunzip-worker', import.meta.url), { workerData: request });
  const answers: BunzipAnswer[] = [];
  let failure: unknown;
  worker.on('message', (answer: BunzipAnswer) => void answers.push(answer));
  worker.on('error', (error) => (failure = error));
  worker.on('exit', () => (failure ??= new Error('the thread that decompresses has ended')));
  try {
    for (;;) {
      const answer = answers.shift();
      if (answer === undefined) {
        if (failure !== undefined) throw failure;
        await Promise.race([once(worker, 'message'), once(worker, 'exit')]);
        continue;
      }
      if ('part' in answer) {
        yield Buffer.from(answer.part.buffer, 0, answer.part.length);
        Atomics.sub(untaken, 0, 1);
        Atomics.notify(untaken, 0);
        continue;
      }
      switch (answer.end) {
        case 'whole':
          return;
        case 'too_large':
          throw new BunzipTooLarge();
        case 'broken':
          throw new Error(answer.reason);
        default:
          answer satisfies never;
      }
    }
  } finally {
    await worker.terminate();
  }
}

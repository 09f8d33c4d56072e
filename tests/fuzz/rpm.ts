import { Worker } from 'node:worker_threads';
import type { FuzzRun } from './main.ts';

/** A case that takes longer is a hang: the slowest seed takes some milliseconds. */
const MOST_MILLISECONDS = 5000;
/** Of memory for objects; a header of 64 KiB must not need more. */
const HEAP_MEGABYTES = 256;
/** Of the whole process, buffers included. */
const PROCESS_MEGABYTES = 1024;

/**
 * Feeds mutated RPMs to the reader of headers and to everything that uses them. Each must be read, and then its
 * repodata must be well-formed XML, or end in a ReactorError `rpm.*` with a place; within 5 s, 256 MiB of heap and
 * 1 GiB of process memory.
 */
export async function fuzz({ seed, lasting }: FuzzRun): Promise<number> {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('rpm-cases.ts', import.meta.url), {
    workerData: { seed, lasting, shared },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
  let watch: NodeJS.Timeout | undefined;
  try {
    return await new Promise<number>((resolve, reject) => {
      let last = -1;
      let since = Date.now();
      watch = setInterval(() => {
        const current = Atomics.load(shared, 0);
        if (current !== last) [last, since] = [current, Date.now()];
        const megabytes = process.memoryUsage.rss() / 1024 / 1024;
        if (Date.now() - since > MOST_MILLISECONDS)
          reject(new Error(`Case ${current} of seed ${seed} hangs.`));
        if (megabytes > PROCESS_MEGABYTES) {
          reject(new Error(`Case ${current} of seed ${seed} needs ${megabytes.toFixed(0)} MiB.`));
        }
      }, 50);
      worker.once('message', (count: number) => resolve(count));
      worker.once('error', (cause) => {
        reject(new Error(`Case ${Atomics.load(shared, 0)} of seed ${seed}.`, { cause }));
      });
    });
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}

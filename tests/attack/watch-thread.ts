import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { mainThreadOf, residentMegabytesOf } from './process-facts.ts';

/** What the thread is given: whom to watch; without a process id only answers are looked at. */
export interface Watched {
  readonly url: string;
  readonly pid: number | null;
  /** Milliseconds of silence that are too many, and the processor seconds that make them fair. */
  readonly patience?: { readonly silence: number; readonly busySeconds: number };
}

export type Sighting =
  | { readonly kind: 'frozen'; readonly detail: string }
  | { readonly kind: 'answers' }
  | { readonly kind: 'memory'; readonly megabytes: number };

const LOOK_MS = 250;
const STARVED_MS = 60_000;

const { url, pid, patience = { silence: 10_000, busySeconds: 5 } }: Watched = workerData;
const tell = (sighting: Sighting): void => parentPort?.postMessage(sighting, []);

/** Asks once; settles when there is an answer or the connection ends. */
function ask(): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`${url}/healthz`, { agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(true));
      response.once('error', () => resolve(false));
    });
    request.once('error', () => resolve(false));
  });
}

/**
 * Watches one request. Frozen is a service that has not answered for 10 s although its main thread was given 5 s of
 * processor time meanwhile, or slept most of them: a service that waits for a busy machine is not.
 */
async function watchOnce(): Promise<void> {
  const answer = ask();
  const start = performance.now();
  const first = pid === null ? null : mainThreadOf(pid)?.seconds;
  let isTold = false;
  let looks = 0;
  let asleep = 0;
  while ((await Promise.race([answer, pause(LOOK_MS, 'silence')])) === 'silence') {
    if (isTold) continue;
    looks += 1;
    const thread = pid === null ? null : mainThreadOf(pid);
    if (thread !== null && !thread.isRunnable) asleep += 1;
    const silence = performance.now() - start;
    const used = (thread?.seconds ?? 0) - (first ?? 0);
    const isFair =
      pid === null || used >= patience.busySeconds || asleep > looks * 0.8 || silence > STARVED_MS;
    if (silence < patience.silence || !isFair) continue;
    isTold = true;
    tell({
      kind: 'frozen',
      detail: `/healthz was silent for ${(silence / 1000).toFixed(0)} s, the main thread used ${used.toFixed(1)} s`,
    });
  }
  if (isTold && (await answer)) tell({ kind: 'answers' });
}

for (;;) {
  if (pid !== null) tell({ kind: 'memory', megabytes: residentMegabytesOf(pid) });
  await watchOnce();
  await pause(LOOK_MS);
}

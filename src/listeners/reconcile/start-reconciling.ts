import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import { messageOf } from '../../model/errors.ts';

const EVERY_MS = 3 * 60_000;
const QUIET_MS = 500;
const LONGEST_WAIT_MS = 60_000;

/** A reconciliation that runs at the start, every few minutes, and when it is woken. */
export interface RunningReconciliation extends AsyncDisposable {
  /** Looks now; while it is looking, once more afterwards. */
  wake(): void;
  /** Why the last look failed; null where it did not, or none was made. */
  readonly failure: string | null;
}

/**
 * Runs `look` (which returns how many events were missing) now and then, never twice at a time, until disposed.
 * With buses, it waits after a wake until they have handed out what they kept, so that this is not taken for
 * missing, a minute at most; and the first look is left to the first wake.
 */
export function startReconciling(options: {
  readonly look: () => Promise<number>;
  readonly log: Log;
  readonly everyMs?: number;
  /** What messages come into; absent where none come. */
  readonly buses?: { idleMs(): number };
}): RunningReconciliation {
  const { look, log, everyMs = EVERY_MS, buses } = options;
  const over = new AbortController();
  const { signal } = over;
  let isWanted = false;
  let running: Promise<void> | null = null;
  let failure: string | null = null;
  const untilQuiet = async (): Promise<void> => {
    if (buses === undefined) return;
    const deadline = performance.now() + LONGEST_WAIT_MS;
    do {
      await pause(QUIET_MS, undefined, { signal }).catch(() => undefined);
    } while (!signal.aborted && buses.idleMs() < QUIET_MS && performance.now() < deadline);
  };
  const run = async (): Promise<void> => {
    while (isWanted && !signal.aborted) {
      await untilQuiet();
      if (signal.aborted) break;
      isWanted = false;
      try {
        const found = await look();
        failure = null;
        if (found > 0) log.warn({ found }, 'events that no message told were found');
      } catch (error) {
        failure = messageOf(error);
        log.warn({ reason: failure }, 'the sources could not be looked through');
      }
    }
    running = null;
  };
  const wake = (): void => {
    isWanted = true;
    running ??= run();
  };
  const timer = setInterval(wake, everyMs);
  timer.unref();
  if (buses === undefined) wake();
  return {
    wake,
    get failure() {
      return failure;
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      clearInterval(timer);
      await running;
    },
  };
}

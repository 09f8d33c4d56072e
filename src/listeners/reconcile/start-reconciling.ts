import type { Log } from '../../log.ts';
import { messageOf } from '../../model/errors.ts';

const EVERY_MS = 3 * 60_000;

/** A reconciliation that runs at the start, every few minutes, and when it is woken. */
export interface RunningReconciliation extends AsyncDisposable {
  /** Looks now; while it is looking, once more afterwards. */
  wake(): void;
}

/** Runs `look` (which answers how many events were missing) now and then, never twice at a time, until disposed. */
export function startReconciling(options: {
  readonly look: () => Promise<number>;
  readonly log: Log;
  readonly everyMs?: number;
}): RunningReconciliation {
  const { look, log, everyMs = EVERY_MS } = options;
  const over = new AbortController();
  let isWanted = true;
  let running: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    while (isWanted && !over.signal.aborted) {
      isWanted = false;
      try {
        const found = await look();
        if (found > 0) log.warn({ found }, 'events that no message told were found');
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'the sources could not be looked through');
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
  wake();
  return {
    wake,
    async [Symbol.asyncDispose]() {
      over.abort();
      clearInterval(timer);
      await running;
    },
  };
}

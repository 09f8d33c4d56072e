import { transaction, type TransactionContext } from '../database/transaction.ts';
import {
  clampWindows,
  closeDueWindows,
  closeOverdueWindow,
  earliestDue,
  findOverdueWindows,
} from '../database/windows.ts';

/** Closes windows when they are due, until stopped. */
export interface WindowCloser {
  /** Says that a window may be due then. */
  wakeAt(due: Date): void;
  /** Lets a running pass end. */
  stop(): Promise<void>;
}

export interface CloserContext {
  readonly database: TransactionContext;
  readonly onError: (error: unknown) => void;
}

/** How often the database is asked although nothing woke the closer: windows of other processes, stepped clocks. */
const LOOK_MS = 5000;
/** How soon to ask again while a due window waits for events that are not matched yet. */
const STRAGGLER_LOOK_MS = 25;
const BATCH = 500;

/**
 * One timer on the earliest due time, whatever the number of windows. Any number of closers may run: each window
 * is closed by one of them.
 */
export function startWindowCloser(context: CloserContext): WindowCloser {
  const { kysely, clock } = context.database;
  let timer: NodeJS.Timeout | undefined;
  let wakesAt = Infinity;
  let isStopped = false;
  let lastPassAt = -Infinity;
  let clampedAt = -Infinity;
  let running: Promise<void> | null = null;

  const schedule = (at: number): void => {
    if (isStopped || at >= wakesAt) return;
    clearTimeout(timer);
    wakesAt = at;
    const delay = Math.min(Math.max(at - clock.now().getTime(), 0), LOOK_MS);
    timer = setTimeout(() => {
      running ??= pass().finally(() => {
        running = null;
      });
    }, delay);
  };

  const pass = async (): Promise<void> => {
    wakesAt = Infinity;
    const start = clock.now();
    let next = start.getTime() + LOOK_MS;
    try {
      // The windows have to be looked through for that: rarely enough not to hold back those that are due.
      if (start.getTime() < lastPassAt || performance.now() - clampedAt >= LOOK_MS) {
        clampedAt = performance.now();
        await clampWindows(kysely, start);
      }
      lastPassAt = start.getTime();
      let closed: readonly number[];
      do {
        closed = await transaction(context.database, (tx) => closeDueWindows(tx, BATCH));
      } while (closed.length === BATCH);
      for (const id of await findOverdueWindows(kysely, clock.now(), BATCH)) {
        await transaction(context.database, (tx) => closeOverdueWindow(tx, id));
      }
      const due = await earliestDue(kysely);
      const now = clock.now().getTime();
      if (due !== null) {
        next = Math.min(next, due.getTime() <= now ? now + STRAGGLER_LOOK_MS : due.getTime());
      }
    } catch (error) {
      context.onError(error);
    }
    schedule(next);
  };

  schedule(clock.now().getTime());
  return {
    wakeAt: (due) => schedule(due.getTime()),
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

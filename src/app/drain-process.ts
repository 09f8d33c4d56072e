import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { RunningRole } from './roles/running-role.ts';

/** How long a process that ends waits for its jobs; what has not ended then is done by another. */
const ENDING_MS = 10_000;
/** Longer than any job. */
const WITHOUT_LIMIT_MS = 86_400_000;

export interface DrainInput {
  readonly database: Database;
  readonly log: Log;
  readonly roles: readonly RunningRole[];
}

/** How a process stops taking work: asked to by an operator, or because it ends. */
export interface Drain {
  /** From the first call on: the process is unready. */
  readonly isBegun: boolean;
  /**
   * Turns unready, serves on for so many milliseconds, then takes nothing more. Resolves once all jobs have ended. A
   * second call waits with the first.
   */
  begin(graceMs: number): Promise<void>;
  /** The same for a process that ends: does not wait for jobs without limit, or for a database that is away. */
  end(graceMs: number): Promise<void>;
}

/** Creates the drain of a process. */
export function createDrain({ database, log, roles }: DrainInput): Drain {
  let begun: Promise<void> | undefined;
  const abort = new AbortController();
  const run = async (graceMs: number): Promise<void> => {
    log.info({ graceMs }, 'the process takes no more work');
    await pause(graceMs, undefined, { signal: abort.signal }).catch(() => undefined);
    const ended = database.jobs.stopWorking(WITHOUT_LIMIT_MS);
    await Promise.all(roles.map((role) => (role.drain === 'stop' ? role.stop() : role.drain?.())));
    await ended;
    log.info('all jobs of the process have ended');
  };
  const begin = (graceMs: number): Promise<void> => (begun ??= run(graceMs));
  return {
    get isBegun() {
      return begun !== undefined;
    },
    begin,
    async end(graceMs) {
      if (database.failure() !== null) abort.abort();
      const timer = new AbortController();
      const late = pause(graceMs + ENDING_MS, undefined, { signal: timer.signal }).catch(() => undefined);
      const drained = begin(graceMs).catch((error: unknown) => log.warn({ err: error }, 'draining failed'));
      if (database.failure() !== null) database.cutOff();
      await Promise.race([drained, late]);
      timer.abort();
    },
  };
}

import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** The only business clock: the database's, the same for every process whatever its machine's clock says. */
export interface DatabaseClock extends Clock {
  /** Returns the database's time now, by asking it. */
  read(handle: DatabaseHandle | TransactionHandle): Promise<Date>;
  /** Milliseconds that this machine's clock is ahead of the database's; negative where it is behind. */
  readonly skewMs: number;
}

/** An answer that took longer says too little about when the database looked at its clock. */
const PRECISE_MS = 250;

/**
 * Creates the clock of an open database. `now` is the machine's clock put right by the skew that the last precise
 * reading showed; every transaction is a reading.
 */
export function createDatabaseClock(): DatabaseClock {
  let skewMs: number | null = null;
  return {
    now: () => new Date(Date.now() - (skewMs ?? 0)),
    get skewMs() {
      return skewMs ?? 0;
    },
    async read(handle) {
      const before = Date.now();
      const started = performance.now();
      const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(handle);
      const tookMs = performance.now() - started;
      const [row] = rows;
      if (row === undefined) throw new Error('The database did not say what time it is.');
      if (tookMs <= PRECISE_MS || skewMs === null) skewMs = before + tookMs / 2 - row.now.getTime();
      return row.now;
    },
  };
}

/** Creates a clock that shows the time of another one, for time that is made up. */
export function followClock(clock: Clock): DatabaseClock {
  return { now: () => clock.now(), skewMs: 0, read: async () => clock.now() };
}

import { sql } from 'kysely';
import { systemClock, type Clock } from '../clock.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** The only business clock: the database's, the same for every process whatever its machine's clock says. */
export interface DatabaseClock extends Clock {
  /** Returns the database's time now, by asking it. */
  read(kysely: DatabaseHandle | TransactionHandle): Promise<Date>;
  /** Learns from a reading that somebody else made. */
  learn(reading: ClockReading): void;
  /** Milliseconds that this machine's clock is ahead of the database's; negative where it is behind. */
  readonly skewMs: number;
}

/** What the database said, and when it was asked. */
export interface ClockReading {
  /** The machine's time when the question was sent. */
  readonly askedAt: Date;
  /** Milliseconds until the answer was there. */
  readonly tookMs: number;
  /** The database's time. */
  readonly now: Date;
}

/** An answer that took longer says too little about when the database looked at its clock. */
const PRECISE_MS = 250;

/**
 * Creates the clock of an open database. `now` is the machine's clock put right by the skew that the last precise
 * reading showed; every transaction is a reading.
 */
export function createDatabaseClock(machine: Clock = systemClock): DatabaseClock {
  let skewMs: number | null = null;
  const learn = ({ askedAt, tookMs, now }: ClockReading): void => {
    if (tookMs <= PRECISE_MS || skewMs === null) skewMs = askedAt.getTime() + tookMs / 2 - now.getTime();
  };
  return {
    now: () => new Date(machine.now().getTime() - (skewMs ?? 0)),
    get skewMs() {
      return skewMs ?? 0;
    },
    learn,
    async read(kysely) {
      const askedAt = machine.now();
      const started = performance.now();
      const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(kysely);
      const [row] = rows;
      if (row === undefined) throw new Error('The database did not say what time it is.');
      learn({ askedAt, tookMs: performance.now() - started, now: row.now });
      return row.now;
    },
  };
}

/** Creates a clock that shows the time of another one, for time that is made up. */
export function followClock(clock: Clock): DatabaseClock {
  return { now: () => clock.now(), learn: () => undefined, skewMs: 0, read: async () => clock.now() };
}

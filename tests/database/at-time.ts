import type { Clock } from '../../src/clock.ts';
import { followClock } from '../../src/database/database-clock.ts';
import type { Database } from '../../src/database/database.ts';

/** Returns the database as it is at a made-up time, or by a made-up clock. */
export function atTime(database: Database, time: Date | Clock): Database {
  return { ...database, clock: followClock(time instanceof Date ? { now: () => time } : time) };
}

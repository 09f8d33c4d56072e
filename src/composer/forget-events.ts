import { setTimeout as wait } from 'node:timers/promises';
import { findNeededEvents, pruneEvents } from '../database/prune-events.ts';
import type { ComposerContext } from './composer-context.ts';

const DAY = 86_400_000;
/** So that nobody waits long for a lock: events forgotten in one transaction, and transactions in one sweep. */
const AT_ONCE = 500;
const TURNS = 20;
/** So that those who serve come in between. */
const PAUSE_MS = 50;

/** Waits a moment between two statements that forget, unless all is to end. */
export async function pauseBetween(signal: AbortSignal): Promise<void> {
  await wait(PAUSE_MS, undefined, { signal }).catch(() => undefined);
}

/**
 * Forgets events that are older than `keptDays` and that nothing refers to, a bounded number at once. Returns whether all
 * of them are gone; where not, the next sweep goes on.
 */
export async function forgetEvents(
  { database, log }: Pick<ComposerContext, 'database' | 'log'>,
  keptDays: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { kysely } = database;
  const now = await database.clock.read(kysely);
  const before = new Date(now.getTime() - keptDays * DAY);
  const needed = await findNeededEvents(kysely, { before, now });
  let forgotten = 0;
  let isDone = false;
  for (let turn = 0; turn < TURNS && !isDone && !signal.aborted; turn++) {
    if (turn > 0) await pauseBetween(signal);
    const count = await pruneEvents(kysely, { before, needed }, AT_ONCE);
    forgotten += count;
    isDone = count < AT_ONCE;
  }
  if (forgotten > 0) log.info({ events: forgotten }, 'old events were forgotten');
  return isDone;
}

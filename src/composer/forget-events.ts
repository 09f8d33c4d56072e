import { pruneEvents } from '../database/prune-events.ts';
import type { ComposerContext } from './composer-context.ts';

const DAY = 86_400_000;
/** So that nobody waits long for a lock: events forgotten in one transaction, and transactions in one sweep. */
const AT_ONCE = 500;
const TURNS = 20;

/**
 * Forgets events that are older than `keptDays` and that nothing refers to, a bounded number at once. Answers
 * whether all of them are gone; where not, the next sweep goes on.
 */
export async function forgetEvents(
  { database, log }: Pick<ComposerContext, 'database' | 'log'>,
  keptDays: number,
  signal: AbortSignal,
): Promise<boolean> {
  const now = await database.clock.read(database.handle);
  const before = new Date(now.getTime() - keptDays * DAY);
  let forgotten = 0;
  let isDone = false;
  for (let turn = 0; turn < TURNS && !isDone && !signal.aborted; turn++) {
    const count = await pruneEvents(database.handle, { before, now }, AT_ONCE);
    forgotten += count;
    isDone = count < AT_ONCE;
  }
  if (forgotten > 0) log.info({ events: forgotten }, 'old events were forgotten');
  return isDone;
}

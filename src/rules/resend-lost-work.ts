import { findWaitingEvents } from '../database/input-events.ts';
import type { TransactionContext } from '../database/transaction.ts';
import { findUndecided } from '../database/windows.ts';

/** Longer than the counts of a queue may be old: what waits for so long had its job when it was counted. */
const SETTLED_MS = 120_000;
/** Older events stay as they are: history is not replayed, sweeps look at the state. */
const HISTORY_MS = 86_400_000;
const AT_ONCE = 1000;

/**
 * Enqueues again what waits although its queue has nothing to do: events to be completed or matched, windows to be
 * decided. Jobs are sent with what makes them necessary, so this finds only what a restored or emptied queue lost; a
 * backlog is no loss. Returns how many were enqueued.
 */
export async function resendLostWork({ kysely, jobs, clock }: TransactionContext): Promise<number> {
  const now = clock.now().getTime();
  const before = new Date(now - SETTLED_MS);
  const from = new Date(now - HISTORY_MS);
  let found = 0;
  for (const stage of ['enrich', 'match'] as const) {
    const queue = `event.${stage}` as const;
    if (!(await jobs.isIdle(queue))) continue;
    const ids = await findWaitingEvents(kysely, { stage, from, to: before }, AT_ONCE);
    await jobs.sendAll(
      queue,
      ids.map((eventId) => ({ eventId })),
    );
    found += ids.length;
  }
  if (await jobs.isIdle('window.close')) {
    const ids = await findUndecided(kysely, before, AT_ONCE);
    await jobs.sendAll(
      'window.close',
      ids.map((windowId) => ({ windowId })),
    );
    found += ids.length;
  }
  return found;
}

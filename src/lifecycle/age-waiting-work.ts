import { sql } from 'kysely';
import type { Priority } from '../model/compose.ts';
import { HIGHEST_AGED, priorityNumbers, type JobName } from '../database/job-queues.ts';
import type { TransactionContext } from '../database/transaction.ts';

/** What waits gains a level in so many seconds, so that bulk is not starved. Source: RULES 4.4, 8. */
const LEVEL_SECONDS = 1_800;
const AT_ONCE = 500;

/**
 * Raises the jobs of requests and composes that have waited long enough for another level since `since`. Returns how
 * many rose.
 */
export async function ageWaitingWork(context: TransactionContext, since: Date): Promise<number> {
  const now = await context.clock.read(context.kysely);
  const waiting = await listWaiting(context, { since, now });
  for (const { queue, key, priority, level } of waiting) {
    const base = priorityNumbers[priority];
    await context.jobs.prioritise(queue, key, Math.min(HIGHEST_AGED, base + 10 * level));
  }
  return waiting.length;
}

interface Waiting {
  readonly queue: Extract<JobName, 'request.run' | 'compose.run'>;
  readonly key: string;
  readonly priority: Priority;
  /** How many levels it has gained. */
  readonly level: number;
}

async function listWaiting(
  { kysely }: TransactionContext,
  { since, now }: { readonly since: Date; readonly now: Date },
): Promise<readonly Waiting[]> {
  const { rows } = await sql<Waiting>`
    select queue, key, priority, floor(extract(epoch from (${now}::timestamptz - waits_since)) / ${LEVEL_SECONDS})::integer as level
    from (
      select 'request.run' as queue, id::text as key, priority, created_at as waits_since
      from compose_requests where state = 'pending'
      union all
      select 'compose.run', id::text, priority, time_submitted
      from composes where state = 'wait' and request_id is null
    ) as waiting
    where priority <> 'security'
      and floor(extract(epoch from (${now}::timestamptz - waits_since)) / ${LEVEL_SECONDS})
        > floor(extract(epoch from (${since}::timestamptz - waits_since)) / ${LEVEL_SECONDS})
    order by waits_since limit ${AT_ONCE}`.execute(kysely);
  return rows;
}

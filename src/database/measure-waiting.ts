import { sql } from 'kysely';
import type { DatabaseHandle } from './database-handle.ts';

/** What waits for a stage. */
export interface WaitingWork {
  readonly stage: 'enrich' | 'match' | 'settle' | 'decide' | 'plan' | 'announce';
  readonly count: number;
  /** Seconds that the eldest of it has waited; for windows that settle, since the one that was due first. */
  readonly oldestSeconds: number;
}

/** Counts what waits in the database for each stage, and for how long. Reads the indexes of what is not finished alone. */
export async function measureWaiting(kysely: DatabaseHandle, now: Date): Promise<readonly WaitingWork[]> {
  const { rows } = await sql<{ stage: WaitingWork['stage']; count: number; oldest: Date | null }>`
    select 'enrich' as stage, count(*)::integer as count, min(received_at) as oldest
      from events where stage = 'enrich' and stage <> 'done'
    union all select 'match', count(*)::integer, min(received_at)
      from events where stage = 'match' and stage <> 'done'
    union all select 'settle', count(*)::integer, min(due_at) from settle_windows where closed_at is null
    union all select 'decide', count(*)::integer, min(closed_at) from settle_windows
      where closed_at is not null and decided_at is null
    union all select 'plan', count(*)::integer, min(time_submitted) from composes where state = 'wait'
    union all select 'announce', count(*)::integer, min(created_at) from announcements
      where finished_at is null`.execute(kysely);
  return rows.map(({ stage, count, oldest }) => ({
    stage,
    count,
    oldestSeconds: oldest === null ? 0 : Math.max(0, (now.getTime() - oldest.getTime()) / 1000),
  }));
}

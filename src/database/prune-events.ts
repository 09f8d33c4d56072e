import { sql } from 'kysely';
import type { DatabaseHandle } from './database-handle.ts';
import { CARRIED_MS } from './windows.ts';

/**
 * Returns the events received before a moment that something living refers to: windows that are open, undecided or hand
 * on their events, requests that wait or run, and rules' composes that are not removed. What is not among them can only
 * be referred to by what is younger, so the answer holds for a while.
 */
export async function findNeededEvents(
  kysely: DatabaseHandle,
  { before, now }: { readonly before: Date; readonly now: Date },
): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    select events.id from (
      select cause.event_id as id from (
        select id from settle_windows where closed_at is null
        union all
        select id from settle_windows where closed_at is not null and decided_at is null
        union all
        select id from settle_windows
        where outcome = 'not_ready' and opened_at >= ${new Date(now.getTime() - CARRIED_MS)}
      ) as living join window_causes as cause on cause.window_id = living.id
      union
      select jsonb_array_elements_text(causes)::bigint from compose_requests where state in ('pending', 'running')
      union
      select jsonb_array_elements_text(request.causes)::bigint
        from compose_requests as request
        join (select request_id from composes where request_id is not null and state <> 'removed') as compose
          on compose.request_id = request.id
    ) as needed join events on events.id = needed.id
    where events.received_at < ${before}`.execute(kysely);
  return rows.map(({ id }) => id);
}

/**
 * Forgets events received before a moment and what rules answered to them, at most `limit` events in one statement;
 * those that are needed stay. Returns how many events went.
 */
export async function pruneEvents(
  kysely: DatabaseHandle,
  { before, needed }: { readonly before: Date; readonly needed: readonly number[] },
  limit: number,
): Promise<number> {
  const result = await sql`
    with old as materialized (
      select id from events
      where received_at < ${before}
        and not exists (select 1 from unnest(${`{${needed.join(',')}}`}::bigint[]) as needed where needed = events.id)
      order by received_at limit ${limit} for update skip locked
    ), answers as (
      delete from decisions where event_id in (select id from old)
    ), causes as (
      delete from window_causes where event_id in (select id from old)
    )
    delete from events where id in (select id from old)`.execute(kysely);
  return Number(result.numAffectedRows ?? 0);
}

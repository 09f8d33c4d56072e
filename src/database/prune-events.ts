import { sql } from 'kysely';
import type { DatabaseHandle } from './database-handle.ts';
import { CARRIED_MS } from './windows.ts';

/**
 * Forgets events received before a moment and what rules answered to them, at most `limit` events in one statement.
 * Kept as long as something refers to them: events of windows that are open, undecided or hand on their events, of
 * requests that wait or run, and of rules' composes that are not removed. Answers how many events went.
 */
export async function pruneEvents(
  handle: DatabaseHandle,
  { before, now }: { readonly before: Date; readonly now: Date },
  limit: number,
): Promise<number> {
  const result = await sql`
    with needed as (
      select cause.event_id as id from window_causes as cause join settle_windows as one on one.id = cause.window_id
        where one.closed_at is null or one.decided_at is null
          or (one.outcome = 'not_ready' and one.opened_at >= ${new Date(now.getTime() - CARRIED_MS)})
      union
      select jsonb_array_elements_text(causes)::bigint from compose_requests where state in ('pending', 'running')
      union
      select jsonb_array_elements_text(request.causes)::bigint
        from compose_requests as request join composes as compose on compose.request_id = request.id
        where compose.state <> 'removed'
    ), old as materialized (
      select id from events
      where received_at < ${before} and not exists (select 1 from needed where needed.id = events.id)
      order by received_at limit ${limit} for update skip locked
    ), answers as (
      delete from decisions where event_id in (select id from old)
    ), causes as (
      delete from window_causes where event_id in (select id from old)
    )
    delete from events where id in (select id from old)`.execute(handle);
  return Number(result.numAffectedRows ?? 0);
}

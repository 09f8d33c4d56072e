import { sql } from 'kysely';
import type { DatabaseHandle } from './database-handle.ts';

/** What is older goes, at most so many rows in one statement. */
export interface Pruning {
  readonly before: Date;
  readonly limit: number;
}

/** Forgets announcements that every bus accepted before a moment. Returns how many. */
export async function pruneAnnouncements(
  handle: DatabaseHandle,
  { before, limit }: Pruning,
): Promise<number> {
  const result = await sql`
    delete from announcements where id in (
      select id from announcements where finished_at < ${before} order by finished_at limit ${limit})`.execute(
    handle,
  );
  return Number(result.numAffectedRows ?? 0);
}

/**
 * Forgets what was decided about windows before a moment, except about composes that are not removed and requests that
 * wait or run. What rules answered to an event goes with the event. Returns how many.
 */
export async function pruneWindowDecisions(
  handle: DatabaseHandle,
  { before, limit }: Pruning,
): Promise<number> {
  const result = await sql`
    delete from decisions where id in (
      select id from decisions as old where event_id is null and at < ${before}
        and not exists (select 1 from composes where id = old.compose_id and state <> 'removed')
        and not exists (select 1 from compose_requests
                        where id = old.request_id and state in ('pending', 'running'))
      order by at limit ${limit})`.execute(handle);
  return Number(result.numAffectedRows ?? 0);
}

/**
 * Forgets windows decided before a moment, with the list of their events, except those that decisions are kept of and the
 * newest of each group that is remembered. Returns how many.
 */
export async function pruneWindows(handle: DatabaseHandle, { before, limit }: Pruning): Promise<number> {
  const result = await sql`
    delete from settle_windows where id in (
      select id from settle_windows as old where decided_at < ${before}
        and not exists (select 1 from decisions where window_id = old.id)
        and (exists (select 1 from settle_windows as later
                     where later.rule = old.rule and later.group_key = old.group_key and later.id > old.id)
             or not exists (select 1 from rule_groups as known
                            where known.rule = old.rule and known.group_key = old.group_key))
      order by decided_at limit ${limit})`.execute(handle);
  return Number(result.numAffectedRows ?? 0);
}

/**
 * Forgets requests that ended before a moment, except those that decisions, a compose that is not removed or a request
 * they took in refer to, and those that still tell how their series stands. Returns how many.
 */
export async function pruneRequests(handle: DatabaseHandle, { before, limit }: Pruning): Promise<number> {
  const result = await sql`
    delete from compose_requests where id in (
      select id from compose_requests as old
      where finished_at < ${before} and state not in ('pending', 'running')
        and not exists (select 1 from decisions where request_id = old.id)
        and not exists (select 1 from composes where request_id = old.id and state <> 'removed')
        and not exists (select 1 from compose_requests as taken where taken.superseded_by = old.id)
        and exists (select 1 from compose_requests as later
                    where later.series = old.series and later.id > old.id
                      and (later.state = 'composed'
                           or (later.state = old.state and later.is_swept = old.is_swept)))
      order by finished_at limit ${limit})`.execute(handle);
  return Number(result.numAffectedRows ?? 0);
}

import { sql, type RawBuilder } from 'kysely';
import type { DatabaseHandle } from './database-handle.ts';

/** What is older goes, at most so many rows in one statement. */
export interface Pruning {
  readonly before: Date;
  readonly limit: number;
}

/** Up to where rows were looked at: PostgreSQL's text of a time, which is finer than a `Date`, and the id. */
export interface Position {
  readonly at: string;
  readonly id: number;
}

export const BEGINNING: Position = { at: '-infinity', id: 0 };

/** What one statement did. */
export interface Pruned {
  readonly forgotten: number;
  /** Where the next one goes on; null where all was looked at. */
  readonly next: Position | null;
}

/** Forgets the next rows after a position. */
export type PruneNext = (kysely: DatabaseHandle, pruning: Pruning, after: Position) => Promise<Pruned>;

/** Forgets announcements that every bus accepted before a moment. Returns how many. */
export async function pruneAnnouncements(
  kysely: DatabaseHandle,
  { before, limit }: Pruning,
): Promise<number> {
  const result = await sql`
    delete from announcements where id in (
      select id from announcements where finished_at < ${before} order by finished_at limit ${limit})`.execute(
    kysely,
  );
  return Number(result.numAffectedRows ?? 0);
}

/**
 * Forgets what was decided about windows before a moment, except about composes that are not removed and requests that
 * wait or run. What rules answered to an event goes with the event.
 */
export const pruneWindowDecisions = pruneUnless({
  table: 'decisions',
  time: 'at',
  only: sql`event_id is null`,
  unless: sql`
      exists (select 1 from composes where id = old.compose_id and state <> 'removed' offset 0)
      or exists (select 1 from compose_requests
                 where id = old.request_id and state in ('pending', 'running') offset 0)`,
});

/**
 * Forgets windows decided before a moment, with the list of their events, except those that decisions are kept of and the
 * newest of each group that is remembered.
 */
export const pruneWindows = pruneUnless({
  table: 'settle_windows',
  time: 'decided_at',
  only: sql`true`,
  unless: sql`
      exists (select 1 from decisions where window_id = old.id offset 0)
      or (exists (select 1 from rule_groups as known
                  where known.rule = old.rule and known.group_key = old.group_key offset 0)
          and not exists (select 1 from settle_windows as later
                          where later.rule = old.rule and later.group_key = old.group_key and later.id > old.id
                          offset 0))`,
});

/**
 * Forgets requests that ended before a moment, except those that decisions, a compose that is not removed or a request
 * they took in refer to, and those that still tell how their series stands.
 */
export const pruneRequests = pruneUnless({
  table: 'compose_requests',
  time: 'finished_at',
  only: sql`state not in ('pending', 'running')`,
  unless: sql`
      exists (select 1 from decisions where request_id = old.id offset 0)
      or exists (select 1 from composes where request_id = old.id and state <> 'removed' offset 0)
      or exists (select 1 from compose_requests as taken where taken.superseded_by = old.id offset 0)
      or not exists (select 1 from compose_requests as later
                     where later.series = old.series and later.id > old.id
                       and (later.state = 'composed'
                            or (later.state = old.state and later.is_swept = old.is_swept))
                     offset 0)`,
});

interface Prunable {
  readonly table: 'decisions' | 'settle_windows' | 'compose_requests';
  readonly time: string;
  /** Which rows at all, and which of those stay; the row is `old`. */
  readonly only: RawBuilder<unknown>;
  readonly unless: RawBuilder<unknown>;
}

/**
 * Returns what looks at the next rows in the order of their time and forgets those that nothing keeps. Each row is looked up in the
 * tables that may keep it: `offset 0` prevents a join of whole tables, which PostgreSQL prefers where it expects few rows.
 */
function pruneUnless({ table, time, only, unless }: Prunable): PruneNext {
  return async (kysely, { before, limit }, after) => {
    const { rows } = await sql<{ id: number; at: string; forgotten: number; looked: number }>`
    with looked as materialized (
      select id, ${sql.ref(time)} as looked_at from ${sql.table(table)} as old
      where ${only} and ${sql.ref(time)} < ${before}
        and (${sql.ref(time)}, id) > (${after.at}::timestamptz, ${after.id}::bigint)
      order by ${sql.ref(time)}, id limit ${limit}
    ), gone as (
      delete from ${sql.table(table)} as old using looked where old.id = looked.id and not (${unless})
      returning old.id
    )
    select id, looked_at::text as at, (select count(*) from gone)::integer as forgotten,
      (select count(*) from looked)::integer as looked
    from looked order by looked_at desc, id desc limit 1`.execute(kysely);
    const [last] = rows;
    if (last === undefined) return { forgotten: 0, next: null };
    const { id, at, forgotten, looked } = last;
    return { forgotten, next: looked < limit ? null : { at, id } };
  };
}

import { sql, type Selectable } from 'kysely';
import { hubOfBody, type HubName } from '../model/hub-name.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import type { ComposeRequestsTable } from './tables.ts';

export type ComposeRequestRow = Selectable<ComposeRequestsTable>;

/** Returns one request, or undefined. */
export async function findComposeRequest(
  kysely: DatabaseHandle | TransactionHandle,
  id: number,
): Promise<ComposeRequestRow | undefined> {
  return kysely.selectFrom('compose_requests').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Returns how many requests a rule made since a moment that were not taken in by others and changed something. */
export async function countRequests(sql: TransactionHandle, rule: string, since: Date): Promise<number> {
  const row = await sql
    .selectFrom('compose_requests')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('rule', '=', rule)
    .where('created_at', '>', since)
    .where('state', 'not in', ['superseded', 'unchanged'])
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** What a series knows of its inputs. */
export interface SeriesReading {
  /** Whether a request waits that will read them. */
  readonly isPending: boolean;
  /** The last time they were read; null where they never were. */
  readonly last: {
    readonly readAt: Date;
    /** The Koji event they were read at; null where that is not known yet, or of no meaning. */
    readonly kojiEvent: number | null;
    /** Whether a copy had to be taken that is not signed with the first key. */
    readonly tookFallback: boolean;
  } | null;
  /** When they were last composed, or read for another reason than a sweep. */
  readonly movedAt: Date | null;
}

/**
 * Returns how a series stands to its inputs, which are of one Koji hub. What failed has read nothing, and the events of
 * another hub, which the rule may have named before, are of no meaning for this one.
 */
export async function readingOfSeries(
  kysely: DatabaseHandle,
  series: string,
  hub: HubName,
): Promise<SeriesReading> {
  const { rows } = await sql<{
    is_pending: boolean;
    read_at: Date | null;
    body: Record<string, unknown> | null;
    koji_event: number | null;
    took_fallback: boolean | null;
    moved_at: Date | null;
  }>`
    select exists (select 1 from compose_requests where series = ${series} and state = 'pending') as is_pending,
      last.read_at, last.body, last.koji_event, last.took_fallback,
      (select coalesce(finished_at, read_at) from compose_requests
       where series = ${series} and state in ('running', 'composed', 'unchanged')
         and (state = 'composed' or not is_swept) order by id desc limit 1) as moved_at
    from (select 1) as one left join lateral (
      select coalesce(request.read_at, request.started_at, request.created_at) as read_at, request.body,
        coalesce(request.koji_event, greatest(request.min_event, compose.koji_event)) as koji_event,
        request.took_fallback
      from compose_requests as request left join composes as compose on compose.id = request.compose_id
      where request.series = ${series} and request.state in ('running', 'composed', 'unchanged')
      order by request.id desc limit 1) as last on true`.execute(kysely);
  const [row] = rows;
  if (row === undefined) return { isPending: false, last: null, movedAt: null };
  return {
    isPending: row.is_pending,
    last:
      row.read_at === null || row.body === null || hubOfBody(row.body) !== hub
        ? null
        : {
            readAt: row.read_at,
            kojiEvent: row.koji_event,
            tookFallback: row.took_fallback === true,
          },
    movedAt: row.moved_at,
  };
}

/** Returns whether a series has a finished compose, and one under way. */
export async function seriesState(
  kysely: DatabaseHandle,
  series: string,
): Promise<{ readonly finished: boolean; readonly running: boolean }> {
  const rows = await kysely
    .selectFrom('composes')
    .select('state')
    .distinct()
    .where('series', '=', series)
    .where('state', '<>', 'removed')
    .execute();
  const asked = await kysely
    .selectFrom('compose_requests')
    .select('id')
    .where('series', '=', series)
    .where('state', '=', 'running')
    .limit(1)
    .execute();
  return {
    finished: rows.some(({ state }) => state === 'done'),
    running: asked.length > 0 || rows.some(({ state }) => state === 'wait' || state === 'generating'),
  };
}

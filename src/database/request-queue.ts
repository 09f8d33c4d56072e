import { sql, type Selectable } from 'kysely';
import { higherPriority, type WhenBusy } from '../model/rule.ts';
import {
  insertComposeRequest,
  toPriority,
  type NewComposeRequest,
  type QueueContext,
} from './compose-requests.ts';
import type { ComposeRequestsTable } from './tables.ts';
import type { DatabaseHandle, TransactionHandle } from './transaction.ts';

export type ComposeRequestRow = Selectable<ComposeRequestsTable>;

/** A series that is asked to queue at most this many requests. Source: RULES 4.4, 7. */
const MAX_QUEUE = 100;

/** What became of a request that was placed in its series. */
export interface Placement {
  readonly id: number;
  /** Pending requests that it took in. */
  readonly superseded: readonly number[];
  /** The running request that was told to stop. */
  readonly cancelling: number | null;
}

/**
 * Lets one transaction at a time change a series; held until the transaction ends.
 */
export async function lockSeries(transaction: TransactionHandle, series: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`series:${series}`}, 0))`.execute(transaction);
}

/**
 * Places a request in its series. `latest` and `cancel_running` take in what is pending: the greater event, the
 * higher priority, causes and lists of both; `queue` keeps each, up to 100, the eldest giving way. The series must
 * be locked. Source: RULES 4.4, 7.
 */
export async function placeComposeRequest(
  context: QueueContext,
  request: NewComposeRequest,
  whenBusy: WhenBusy,
): Promise<Placement> {
  const pending = await context.transaction
    .selectFrom('compose_requests')
    .selectAll()
    .where('series', '=', request.series)
    .where('state', '=', 'pending')
    .orderBy('id')
    .forUpdate()
    .execute();
  const taken =
    whenBusy === 'queue' ? pending.slice(0, Math.max(0, pending.length - MAX_QUEUE + 1)) : pending;
  const merged = taken.reduce(mergeRequests, request);
  const ids = taken.map(({ id }) => id);
  if (ids.length > 0) {
    await context.transaction
      .updateTable('compose_requests')
      .set({ state: 'superseded', finished_at: context.now })
      .where('id', 'in', ids)
      .execute();
  }
  const id = await insertComposeRequest(context, merged, whenBusy);
  if (ids.length > 0) await recordSuperseded(context, ids, id);
  const cancelling = whenBusy === 'cancel_running' ? await cancelRunning(context, request) : null;
  return { id, superseded: ids, cancelling };
}

async function recordSuperseded(context: QueueContext, ids: readonly number[], by: number): Promise<void> {
  await context.transaction
    .updateTable('compose_requests')
    .set({ superseded_by: by, reason: `Request ${by} took it in.` })
    .where('id', 'in', [...ids])
    .execute();
  await context.transaction
    .updateTable('decisions')
    .set({ outcome: 'superseded', why: `Request ${by} of the same series took it in before it started.` })
    .where('request_id', 'in', [...ids])
    .execute();
}

async function cancelRunning(context: QueueContext, request: NewComposeRequest): Promise<number | null> {
  const running = await context.transaction
    .selectFrom('compose_requests')
    .select('id')
    .where('series', '=', request.series)
    .where('state', '=', 'running')
    .executeTakeFirst();
  if (running === undefined) return null;
  await context.transaction
    .updateTable('composes')
    .set({ cancel_requested_by: `rule ${request.rule}` })
    .where('request_id', '=', running.id)
    .where('state', 'in', ['wait', 'generating'])
    .execute();
  return running.id;
}

/** The request that stands for both: the newer body, with the lists of both where both have one. */
export function mergeRequests(newer: NewComposeRequest, older: ComposeRequestRow): NewComposeRequest {
  const events = [newer.minEvent, older.min_event].filter((event) => event !== null);
  return {
    ...newer,
    body: uniteLists(newer.body, older.body),
    priority: higherPriority(newer.priority, toPriority(older.priority)),
    causes: [...new Set([...older.causes, ...newer.causes])].sort((left, right) => left - right),
    minEvent: events.length === 0 ? null : Math.max(...events),
    unchanged: newer.unchanged === 'compose' || older.unchanged === 'compose' ? 'compose' : 'skip',
    notBefore: earlier(newer.notBefore, older.not_before),
  };
}

/** A pending start never moves back; a request without one may start at once. */
function earlier(left: Date | null, right: Date | null): Date | null {
  if (left === null || right === null) return null;
  return left < right ? left : right;
}

function uniteLists(newer: Record<string, unknown>, older: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(newer).map(([key, value]) => {
      const other = older[key];
      if (Array.isArray(value) && Array.isArray(other)) return [key, [...new Set([...other, ...value])]];
      if (isObject(value) && isObject(other)) return [key, uniteLists(value, other)];
      return [key, value];
    }),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Starts a request: `running`, if it is pending, its time has come and no other of its series runs. Answers the row,
 * or undefined where there is nothing to do now: whoever runs wakes the next when it ends.
 */
export async function startComposeRequest(
  context: QueueContext,
  id: number,
): Promise<ComposeRequestRow | undefined> {
  const row = await context.transaction
    .selectFrom('compose_requests')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined || (row.state !== 'pending' && row.state !== 'running')) return undefined;
  await lockSeries(context.transaction, row.series);
  // A job is delivered again when its worker died: the request that runs goes on.
  if (row.state === 'running') return row;
  if (row.not_before !== null && row.not_before > context.now) return undefined;
  return context.transaction
    .updateTable('compose_requests')
    .set({ state: 'running', started_at: context.now })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('compose_requests as other')
            .select('other.id')
            .where('other.series', '=', row.series)
            .where('other.state', '=', 'running'),
        ),
      ),
    )
    .returningAll()
    .executeTakeFirst();
}

/**
 * Raises the jobs of requests and composes that have waited: one level every 30 minutes. Answers how many rose.
 */
export async function ageWaitingJobs(handle: DatabaseHandle, now: Date): Promise<number> {
  const result = await sql`
    update pgboss.job as job set priority = waiting.priority
    from (
      select job.id, job.name, least(20, case coalesce(request.priority, compose.priority)
          when 'security' then 20 when 'normal' then 10 else 0 end
          + 10 * floor(extract(epoch from (${now}::timestamptz - coalesce(request.created_at, compose.time_submitted))) / 1800)
        )::integer as priority
      from pgboss.job as job
      left join compose_requests as request
        on job.name = 'request.plan' and request.id = (job.data ->> 'requestId')::bigint
      left join composes as compose
        on job.name = 'compose.run' and compose.id = (job.data ->> 'composeId')::bigint
      where job.name in ('request.plan', 'compose.run') and job.state in ('created', 'retry')
    ) as waiting
    where job.id = waiting.id and job.name = waiting.name and job.priority < waiting.priority`.execute(
    handle,
  );
  return Number(result.numAffectedRows ?? 0);
}

/** What a series has behind it, as far as deciding needs it. */
export interface SeriesHistory {
  /** The newest request of this body that ran or runs, whose inputs were at least as new as asked. */
  readonly coveredBy: {
    readonly requestId: number;
    readonly composeId: number | null;
    readonly event: number;
  } | null;
  /** When the last request of the series that composed, or may yet, started. */
  readonly lastStart: Date | null;
}

/** Reads a series before deciding; it must be locked. */
export async function readSeries(
  transaction: TransactionHandle,
  series: string,
  body: object,
  minEvent: number | null,
): Promise<SeriesHistory> {
  const lastStart = await transaction
    .selectFrom('compose_requests')
    .select('started_at')
    .where('series', '=', series)
    .where('state', 'in', ['running', 'composed', 'failed'])
    .where('started_at', 'is not', null)
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (minEvent === null) return { coveredBy: null, lastStart: lastStart?.started_at ?? null };
  const { rows } = await sql<{ id: number; compose_id: number | null; event: number }>`
    select request.id, request.compose_id, greatest(request.min_event, compose.koji_event) as event
    from compose_requests as request left join composes as compose on compose.id = request.compose_id
    where request.series = ${series} and request.state in ('running', 'composed', 'unchanged')
      and request.body = ${JSON.stringify(body)}::jsonb
      and greatest(request.min_event, compose.koji_event) >= ${minEvent}
      and coalesce(compose.state, 'wait') not in ('failed', 'removed')
    order by request.id desc limit 1`.execute(transaction);
  const [covering] = rows;
  return {
    coveredBy:
      covering === undefined
        ? null
        : { requestId: covering.id, composeId: covering.compose_id, event: covering.event },
    lastStart: lastStart?.started_at ?? null,
  };
}

/** How many requests a rule made since a moment that were not taken in by others. */
export async function countRequests(
  transaction: TransactionHandle,
  rule: string,
  since: Date,
): Promise<number> {
  const row = await transaction
    .selectFrom('compose_requests')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('rule', '=', rule)
    .where('created_at', '>', since)
    .where('state', 'not in', ['superseded', 'unchanged'])
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** The newest Koji event that a series was asked for or composed at; null where it never was. */
export async function lastEvaluatedEvent(handle: DatabaseHandle, series: string): Promise<number | null> {
  const { rows } = await sql<{ event: number | null }>`
    select max(greatest(request.min_event, compose.koji_event)) as event
    from compose_requests as request left join composes as compose on compose.id = request.compose_id
    where request.series = ${series} and request.state in ('pending', 'running', 'composed', 'unchanged')`.execute(
    handle,
  );
  return rows[0]?.event ?? null;
}

/** Whether a series has a finished compose, and one under way. */
export async function seriesState(
  handle: DatabaseHandle,
  series: string,
): Promise<{ readonly finished: boolean; readonly running: boolean }> {
  const rows = await handle
    .selectFrom('composes')
    .select('state')
    .distinct()
    .where('series', '=', series)
    .execute();
  const asked = await handle
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

/** The done compose of a series that came before one, or null. */
export async function findPreviousOfSeries(
  handle: DatabaseHandle,
  series: string,
  before: number,
): Promise<number | null> {
  const row = await handle
    .selectFrom('composes')
    .select('id')
    .where('series', '=', series)
    .where('id', '<', before)
    .where('time_done', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? null;
}

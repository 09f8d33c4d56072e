import { sql, type Selectable } from 'kysely';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import type { ComposeRequestsTable } from './tables.ts';

export type ComposeRequestRow = Selectable<ComposeRequestsTable>;

/** Returns one request, or undefined. */
export async function findComposeRequest(
  handle: DatabaseHandle | TransactionHandle,
  id: number,
): Promise<ComposeRequestRow | undefined> {
  return handle.selectFrom('compose_requests').selectAll().where('id', '=', id).executeTakeFirst();
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

/** Returns the newest Koji event that a series was asked for or composed at; null where it never was. */
export async function lastEvaluatedEvent(handle: DatabaseHandle, series: string): Promise<number | null> {
  const { rows } = await sql<{ event: number | null }>`
    select max(greatest(request.min_event, compose.koji_event)) as event
    from compose_requests as request left join composes as compose on compose.id = request.compose_id
    where request.series = ${series} and request.state in ('pending', 'running', 'composed', 'unchanged')`.execute(
    handle,
  );
  return rows[0]?.event ?? null;
}

/** Returns whether a series has a finished compose, and one under way. */
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

import { sql } from 'kysely';
import type { TransactionHandle } from './database-handle.ts';

/** What a series has behind it, as far as deciding needs it. */
export interface SeriesHistory {
  /** The newest request of this body that ran or runs and began to read its inputs after the causes were received. */
  readonly coveredBy: {
    readonly requestId: number;
    readonly composeId: number | null;
    readonly readAt: Date;
  } | null;
  /** When the last request of the series that composed, or may yet, started. */
  readonly lastStart: Date | null;
}

/** Reads a series before deciding; it must be locked. Without `receivedAt` nothing covers the causes. */
export async function readSeries(
  kysely: TransactionHandle,
  asked: { readonly series: string; readonly body: object; readonly receivedAt: Date | null },
): Promise<SeriesHistory> {
  const lastStart = await kysely
    .selectFrom('compose_requests')
    .select('started_at')
    .where('series', '=', asked.series)
    .where('state', 'in', ['running', 'composed', 'failed'])
    .where('started_at', 'is not', null)
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return {
    coveredBy:
      asked.receivedAt === null
        ? null
        : await findCovering(kysely, { ...asked, receivedAt: asked.receivedAt }),
    lastStart: lastStart?.started_at ?? null,
  };
}

async function findCovering(
  kysely: TransactionHandle,
  { series, body, receivedAt }: { readonly series: string; readonly body: object; readonly receivedAt: Date },
): Promise<SeriesHistory['coveredBy']> {
  const { rows } = await sql<{ id: number; compose_id: number | null; read_at: Date }>`
    select request.id, request.compose_id, request.read_at
    from compose_requests as request left join composes as compose on compose.id = request.compose_id
    where request.series = ${series} and request.state in ('running', 'composed', 'unchanged')
      and request.body = ${JSON.stringify(body)}::jsonb
      and request.read_at > ${receivedAt}
      and coalesce(compose.state, 'wait') not in ('failed', 'removed')
    order by request.id desc limit 1`.execute(kysely);
  const [row] = rows;
  return row === undefined ? null : { requestId: row.id, composeId: row.compose_id, readAt: row.read_at };
}

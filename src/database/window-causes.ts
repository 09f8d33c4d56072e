import { sql } from 'kysely';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import { inputEventColumns, toStoredEvents, type StoredEvent } from './input-events.ts';

type Handle = DatabaseHandle | TransactionHandle;

/** Adds events to a window that is held. */
export async function addCauses(
  transaction: TransactionHandle,
  windowId: number,
  eventIds: readonly number[],
): Promise<void> {
  await sql`
    insert into window_causes (window_id, event_id)
    select ${windowId}::bigint, value::bigint from jsonb_array_elements_text(${JSON.stringify(eventIds)}::jsonb)
    on conflict do nothing`.execute(transaction);
}

/** Hands the newest events of a window on to another, at most `limit`. */
export async function carryCauses(
  transaction: TransactionHandle,
  { from, to, limit }: { readonly from: number; readonly to: number; readonly limit: number },
): Promise<void> {
  await sql`
    insert into window_causes (window_id, event_id)
    select ${to}::bigint, event_id from window_causes where window_id = ${from}
    order by event_id desc limit ${limit}
    on conflict do nothing`.execute(transaction);
}

/** Returns the events of a window in order of receipt; those that were forgotten are left out. */
export async function findCauses(kysely: Handle, windowId: number): Promise<readonly StoredEvent[]> {
  const rows = await kysely
    .selectFrom('events')
    .select(inputEventColumns)
    .where('id', 'in', (select) =>
      select.selectFrom('window_causes').select('event_id').where('window_id', '=', windowId),
    )
    .execute();
  return toStoredEvents(rows);
}

/** Returns how many events each of some windows has. */
export async function countCauses(
  kysely: Handle,
  windowIds: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (windowIds.length === 0) return new Map();
  const rows = await kysely
    .selectFrom('window_causes')
    .select((select) => ['window_id', select.fn.countAll<number>().as('count')])
    .where('window_id', 'in', [...windowIds])
    .groupBy('window_id')
    .execute();
  return new Map(rows.map(({ window_id, count }) => [window_id, Number(count)]));
}

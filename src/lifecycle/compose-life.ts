import { sql } from 'kysely';
import { toCompose } from '../database/composes.ts';
import type { TransactionHandle } from '../database/database-handle.ts';
import type { Compose } from '../model/compose-json.ts';

/**
 * Returns a compose, the one whose directory it shows and those that show its own, held until the transaction ends; in
 * the order of their ids, so that two such transactions never wait for each other.
 */
export async function lockSharing(kysely: TransactionHandle, id: number): Promise<readonly Compose[]> {
  const rows = await kysely
    .selectFrom('composes')
    .selectAll()
    .where((where) =>
      where.or([
        where('id', '=', id),
        where('reused_id', '=', id),
        where('id', '=', (from) => from.selectFrom('composes').select('reused_id').where('id', '=', id)),
      ]),
    )
    .orderBy('id')
    .forUpdate()
    .execute();
  return rows.map(toCompose);
}

/** Whether somebody had an ended compose removed and the janitor has not come yet. */
export function isMarkedForRemoval(compose: Compose, now: Date): boolean {
  return compose.removedBy !== null && compose.state !== 'removed' && compose.timeToExpire <= now;
}

/**
 * Lets a compose live until `until` at least, and with it the one whose directory it shows and those that show its own,
 * except those that somebody had removed. Never shortens a life. Returns the compose as it is now. Source: ODCS contract 5.
 */
export async function extendCompose(
  kysely: TransactionHandle,
  compose: Compose,
  { until, now }: { readonly until: Date; readonly now: Date },
): Promise<Compose> {
  const shown = [compose.id, ...(compose.reusedId === null ? [] : [compose.reusedId])];
  const rows = await kysely
    .updateTable('composes')
    .set({ time_to_expire: sql<Date>`greatest(time_to_expire, ${until}::timestamptz)` })
    .where((where) => where.or([where('id', 'in', shown), where('reused_id', '=', compose.id)]))
    .where('state', '!=', 'removed')
    .where((where) =>
      where.or([
        where('id', '=', compose.id),
        where('removed_by', 'is', null),
        where('time_to_expire', '>', now),
      ]),
    )
    .returningAll()
    .execute();
  const own = rows.find((row) => row.id === compose.id);
  return own === undefined ? compose : toCompose(own);
}

/** Makes composes live until `until` at least. Source: ODCS contract 12. */
export async function shareLife(
  kysely: TransactionHandle,
  ids: readonly number[],
  until: Date,
): Promise<void> {
  await kysely
    .updateTable('composes')
    .set({ time_to_expire: sql<Date>`greatest(time_to_expire, ${until}::timestamptz)` })
    .where('id', 'in', [...ids])
    .execute();
}

import { sql } from 'kysely';
import type { Compose } from '../model/compose-json.ts';
import { moveCompose, toCompose, type StateChangeContext } from './composes.ts';
import type { TransactionHandle } from './transaction.ts';

/**
 * A compose, the one whose directory it shows and those that show its own, held until the transaction ends; in the
 * order of their ids, so that two such transactions never wait for each other.
 */
export async function lockKin(handle: TransactionHandle, id: number): Promise<readonly Compose[]> {
  const rows = await handle
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

/**
 * Lets a compose live until `until` at least, and with it the one whose directory it shows and those that show
 * its own. Never shortens a life. Answers the compose as it is now. Source: ODCS contract 5.
 */
export async function extendCompose(
  handle: TransactionHandle,
  compose: Compose,
  until: Date,
): Promise<Compose> {
  const kin = [compose.id, ...(compose.reusedId === null ? [] : [compose.reusedId])];
  const rows = await handle
    .updateTable('composes')
    .set({ time_to_expire: sql<Date>`greatest(time_to_expire, ${until}::timestamptz)` })
    .where((where) => where.or([where('id', 'in', kin), where('reused_id', '=', compose.id)]))
    .where('state', '!=', 'removed')
    .returningAll()
    .execute();
  const own = rows.find((row) => row.id === compose.id);
  return own === undefined ? compose : toCompose(own);
}

/** What came of asking for a compose to be cancelled. */
export type Cancellation = 'cancelled' | 'requested' | 'not_living';

/**
 * Cancels a compose that is `locked` in this transaction. One that waits, or that only waits for another one's
 * directory, fails at once; one that is being made is marked, and its composer stops. Source: ODCS contract 6.
 */
export async function cancelCompose(
  context: StateChangeContext,
  locked: Compose,
  actor: string,
): Promise<Cancellation> {
  if (locked.state !== 'wait' && locked.state !== 'generating') return 'not_living';
  if (locked.state === 'wait' || locked.reusedId !== null) {
    await moveCompose(context, locked.id, [locked.state], { to: 'failed', reason: `Canceled by ${actor}` });
    return 'cancelled';
  }
  await context.transaction
    .updateTable('composes')
    .set({ cancel_requested_by: actor })
    .where('id', '=', locked.id)
    .where('cancel_requested_by', 'is', null)
    .execute();
  return 'requested';
}

/** Marks an ended compose for the janitor, which removes it soon. Source: ODCS contract 6. */
export async function markForRemoval(
  context: { readonly transaction: TransactionHandle; readonly now: Date },
  id: number,
  actor: string,
): Promise<void> {
  await context.transaction
    .updateTable('composes')
    .set({ time_to_expire: context.now, removed_by: actor })
    .where('id', '=', id)
    .execute();
}

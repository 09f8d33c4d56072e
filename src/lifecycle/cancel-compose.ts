import { lockCompose } from '../database/composes.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import type { Compose } from '../model/compose-json.ts';
import { moveCompose } from './move-compose.ts';
import { lockSeriesOfComposes } from './series-lock.ts';

/** What came of asking for a compose to be cancelled. */
export type Cancellation = 'cancelled' | 'requested' | 'not living';

/** Returns a compose that may be cancelled or removed in this transaction, held until it ends, or undefined. */
export async function lockToEnd(tx: UnitOfWork, id: number): Promise<Compose | undefined> {
  await lockSeriesOfComposes(tx.sql, id);
  return lockCompose(tx.sql, id);
}

/**
 * Cancels a compose that `lockToEnd` returned. One that waits, or that only waits for another one's directory, fails at
 * once; one that is being made is marked, and its composer stops. Source: ODCS contract 6.
 */
export async function cancelCompose(tx: UnitOfWork, locked: Compose, actor: string): Promise<Cancellation> {
  if (locked.state !== 'wait' && locked.state !== 'generating') return 'not living';
  if (locked.state === 'wait' || locked.reusedId !== null) {
    await moveCompose(tx, locked.id, 'cancel', { reason: `Canceled by ${actor}` });
    return 'cancelled';
  }
  await tx.sql
    .updateTable('composes')
    .set({ cancel_requested_by: actor })
    .where('id', '=', locked.id)
    .where('cancel_requested_by', 'is', null)
    .execute();
  return 'requested';
}

/** Marks an ended compose for the janitor, which removes it soon. Source: ODCS contract 6. */
export async function markForRemoval(tx: UnitOfWork, id: number, actor: string): Promise<void> {
  await tx.sql
    .updateTable('composes')
    .set({ time_to_expire: tx.now, removed_by: actor })
    .where('id', '=', id)
    .execute();
}

import { createHash } from 'node:crypto';
import { currentTrace } from '../instrument.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import type { Compose } from '../model/compose-json.ts';

/**
 * Puts the compose as it is now in the outbox; the message id is the same however often that is done. Announcers look
 * at the outbox regularly, so the call that wakes one may be lost.
 */
export async function announceCompose(tx: UnitOfWork, compose: Compose): Promise<void> {
  await tx.sql
    .insertInto('announcements')
    .values({
      message_id: messageIdOf(compose),
      compose_id: compose.id,
      state: compose.state,
      body: null,
      compose: JSON.stringify(compose),
      created_at: tx.now,
      finished_at: null,
      last_error: null,
      trace: currentTrace(),
    })
    .onConflict((conflict) => conflict.column('message_id').doNothing())
    .execute();
  tx.sendAfterwards('announcements.publish', {});
}

/** Returns a version 5 UUID of compose and state. */
function messageIdOf(compose: Compose): string {
  const name = `odcs-reactor:${compose.timeSubmitted.toISOString()}:${compose.id}:${compose.state}`;
  const hex = createHash('sha1').update(name).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

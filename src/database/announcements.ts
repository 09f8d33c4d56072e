import type { QueueContext } from './compose-requests.ts';
import type { DatabaseHandle, TransactionHandle } from './transaction.ts';

/** Which of these message ids are those of announcements that this service made. */
export async function findOwnAnnouncements(
  handle: DatabaseHandle | TransactionHandle,
  messageIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (messageIds.length === 0) return new Set();
  const rows = await handle
    .selectFrom('announcements')
    .select('message_id')
    .where('message_id', 'in', [...messageIds])
    .execute();
  return new Set(rows.map((row) => row.message_id));
}

/** Puts what a rule tells one bus into the outbox; once for each message id. */
export async function insertNotification(
  context: QueueContext,
  message: { readonly messageId: string; readonly onlyBus: string; readonly body: object },
): Promise<void> {
  await context.transaction
    .insertInto('announcements')
    .values({
      message_id: message.messageId,
      compose_id: null,
      topic: 'odcs.rule.decided',
      only_bus: message.onlyBus,
      state: 'decided',
      body: JSON.stringify(message.body),
      created_at: context.now,
      finished_at: null,
      last_error: null,
    })
    .onConflict((conflict) => conflict.column('message_id').doNothing())
    .execute();
  await context.jobs.send('announce', {}, { transaction: context.transaction });
}

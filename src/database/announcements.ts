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

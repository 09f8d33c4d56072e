import { sql, type Selectable } from 'kysely';
import { currentTrace } from '../instrument.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import type { AnnouncementsTable } from './tables.ts';
import type { UnitOfWork } from './transaction.ts';

export type OpenAnnouncement = Selectable<AnnouncementsTable>;

/** Returns which of these message ids are those of announcements that this service made. */
export async function findOwnAnnouncements(
  kysely: DatabaseHandle | TransactionHandle,
  messageIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (messageIds.length === 0) return new Set();
  const rows = await kysely
    .selectFrom('announcements')
    .select('message_id')
    .where('message_id', 'in', [...messageIds])
    .execute();
  return new Set(rows.map((row) => row.message_id));
}

/** Returns announcements that one of these buses has not accepted yet, oldest first. */
export async function listOpenAnnouncements(
  kysely: DatabaseHandle,
  {
    afterId,
    limit,
    buses,
  }: { readonly afterId: number; readonly limit: number; readonly buses: readonly string[] },
): Promise<OpenAnnouncement[]> {
  return kysely
    .selectFrom('announcements')
    .selectAll()
    .where('finished_at', 'is', null)
    .where('id', '>', afterId)
    .where(
      sql<boolean>`case when only_bus is null then not accepted ?& ${[...buses]}::text[]
        else only_bus = any(${[...buses]}::text[]) end`,
    )
    .orderBy('id')
    .limit(limit)
    .execute();
}

/**
 * Notes which buses accepted an announcement in one round. What was noted before stays, so that two rounds at once
 * never take anything back.
 */
export async function acceptAnnouncement(
  kysely: DatabaseHandle,
  round: {
    readonly id: number;
    readonly buses: readonly string[];
    /** Whether every bus has it now. */
    readonly isFinished: boolean;
    readonly lastError: string;
    readonly now: Date;
  },
): Promise<void> {
  const { id, buses, isFinished, lastError, now } = round;
  const accepted = JSON.stringify(Object.fromEntries(buses.map((bus) => [bus, now.toISOString()])));
  await kysely
    .updateTable('announcements')
    .set({
      accepted: sql<string>`accepted || ${accepted}::jsonb`,
      attempts: sql<number>`attempts + 1`,
      ...(isFinished
        ? { finished_at: now, last_error: null }
        : { last_error: lastError === '' ? null : lastError }),
    })
    .where('id', '=', id)
    .execute();
}

/** Puts what a rule tells one bus into the outbox; once for each message id. */
export async function insertNotification(
  tx: UnitOfWork,
  message: { readonly messageId: string; readonly onlyBus: string; readonly body: object },
): Promise<void> {
  await tx.sql
    .insertInto('announcements')
    .values({
      message_id: message.messageId,
      compose_id: null,
      topic: 'odcs.rule.decided',
      only_bus: message.onlyBus,
      state: 'decided',
      body: JSON.stringify(message.body),
      created_at: tx.now,
      finished_at: null,
      last_error: null,
      trace: currentTrace(),
    })
    .onConflict((conflict) => conflict.column('message_id').doNothing())
    .execute();
  tx.sendAfterwards('announcements.publish', {});
}

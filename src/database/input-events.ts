import type { Selectable } from 'kysely';
import type { Bus, DomainEvent, EventKind, InputEvent } from '../model/event.ts';
import type { EventsTable } from './tables.ts';
import type { UnitOfWork } from './transaction.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** A translated event with the id of its row. */
export interface StoredEvent {
  readonly id: number;
  readonly input: InputEvent;
  readonly matchedAt: Date | null;
}

const columns = [
  'id',
  'bus',
  'message_id',
  'topic',
  'raw_topic',
  'received_at',
  'sent_at',
  'producer',
  'instance',
  'event',
  'matched_at',
] as const;

type EventRow = Pick<Selectable<EventsTable>, (typeof columns)[number]>;

/** The events with these ids that could be translated, in order of receipt. */
export async function findInputEvents(
  handle: DatabaseHandle | TransactionHandle,
  ids: readonly number[],
): Promise<StoredEvent[]> {
  if (ids.length === 0) return [];
  const rows = await handle
    .selectFrom('events')
    .select(columns)
    .where('id', 'in', [...ids])
    .execute();
  return rows
    .flatMap(toStoredEvent)
    .sort((left, right) => compareText(left.input.receivedAt, right.input.receivedAt) || left.id - right.id);
}

/** Translated events of some kinds received since a moment, a page at a time in the order of their ids. */
export async function pageInputEvents(
  handle: DatabaseHandle,
  query: {
    readonly kinds: readonly EventKind[];
    readonly since: Date;
    readonly afterId: number;
    readonly limit: number;
  },
): Promise<StoredEvent[]> {
  if (query.kinds.length === 0) return [];
  const rows = await handle
    .selectFrom('events')
    .select(columns)
    .where('kind', 'in', [...query.kinds])
    .where('received_at', '>=', query.since)
    .where('id', '>', query.afterId)
    .orderBy('id')
    .limit(query.limit)
    .execute();
  return rows.flatMap(toStoredEvent);
}

/** Notes that the rules have seen the event; false where another worker was first. */
export async function markMatched(transaction: TransactionHandle, id: number, now: Date): Promise<boolean> {
  const result = await transaction
    .updateTable('events')
    .set({ matched_at: now })
    .where('id', '=', id)
    .where('matched_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Ids of translated events received between two moments that the rules have not seen, oldest first. */
export async function findUnmatched(
  handle: DatabaseHandle,
  between: { readonly from: Date; readonly to: Date },
  limit: number,
): Promise<number[]> {
  const rows = await handle
    .selectFrom('events')
    .select('id')
    .where('matched_at', 'is', null)
    .where('kind', 'is not', null)
    .where('received_at', '>=', between.from)
    .where('received_at', '<', between.to)
    .orderBy('received_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Stores an event that the reactor makes itself and enqueues its matching. Its message id names what it is about,
 * so that two workers that make the same one store one. Answers its id, or undefined where it was there.
 */
export async function insertInternalEvent(
  tx: UnitOfWork,
  messageId: string,
  event: DomainEvent,
): Promise<number | undefined> {
  const row = await tx.sql
    .insertInto('events')
    .values({
      bus: 'internal',
      message_id: messageId,
      topic: event.kind,
      raw_topic: event.kind,
      received_at: tx.now,
      sent_at: tx.now,
      producer: null,
      instance: 'odcs-reactor',
      kind: event.kind,
      event: JSON.stringify(event),
      reason: null,
      headers: '{}',
      body: Buffer.from(JSON.stringify(event)),
    })
    .onConflict((conflict) => conflict.columns(['bus', 'message_id']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  await tx.send('event.match', { eventId: row.id });
  return row.id;
}

function toStoredEvent(row: EventRow): StoredEvent[] {
  if (row.event === null) return [];
  return [
    {
      id: row.id,
      matchedAt: row.matched_at,
      input: {
        bus: toBus(row.bus),
        messageId: row.message_id,
        topic: row.topic,
        rawTopic: row.raw_topic,
        receivedAt: row.received_at.toISOString(),
        sentAt: row.sent_at?.toISOString() ?? null,
        producer: row.producer,
        instance: row.instance,
        event: row.event,
      },
    },
  ];
}

function toBus(text: string): Bus {
  return text === 'fedora-messaging' || text === 'umb' || text === 'webhook' ? text : 'internal';
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

import { sql, type Selectable } from 'kysely';
import { currentTrace } from '../instrument.ts';
import type { Bus, DomainEvent, EventKind, InputEvent } from '../model/event.ts';
import type { EventsTable, EventStage } from './tables.ts';
import type { UnitOfWork } from './transaction.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** A translated event with the id of its row. */
export interface StoredEvent {
  readonly id: number;
  readonly input: InputEvent;
  readonly stage: EventStage;
  /** The set of rules that judged it; null where none has. */
  readonly ruleSet: string | null;
  /** The trace it belongs to, as the header `traceparent`. */
  readonly trace: string | null;
}

/** The columns that `toStoredEvents` reads. */
export const inputEventColumns = [
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
  'stage',
  'rule_set',
  'trace',
] as const;

export type InputEventRow = Pick<Selectable<EventsTable>, (typeof inputEventColumns)[number]>;

/** The events with these ids that could be translated, in order of receipt. */
export async function findInputEvents(
  kysely: DatabaseHandle | TransactionHandle,
  ids: readonly number[],
): Promise<StoredEvent[]> {
  if (ids.length === 0) return [];
  const rows = await kysely
    .selectFrom('events')
    .select(inputEventColumns)
    .where('id', 'in', [...ids])
    .execute();
  return toStoredEvents(rows);
}

/** Returns the ids of events that the reactor made itself, by what they are about. */
export async function findInternalEvents(
  kysely: DatabaseHandle,
  messageIds: readonly string[],
): Promise<readonly number[]> {
  if (messageIds.length === 0) return [];
  const rows = await kysely
    .selectFrom('events')
    .select('id')
    .where('bus', '=', 'internal')
    .where('message_id', 'in', [...messageIds])
    .execute();
  return rows.map(({ id }) => id);
}

/** Turns rows into events in order of receipt; those that could not be translated are left out. */
export function toStoredEvents(rows: readonly InputEventRow[]): StoredEvent[] {
  return rows
    .flatMap(toStoredEvent)
    .sort((left, right) => compareText(left.input.receivedAt, right.input.receivedAt) || left.id - right.id);
}

/** Translated events of some kinds received since a moment, a page at a time in the order of their ids. */
export async function pageInputEvents(
  kysely: DatabaseHandle,
  query: {
    readonly kinds: readonly EventKind[];
    readonly since: Date;
    readonly afterId: number;
    readonly limit: number;
  },
): Promise<StoredEvent[]> {
  if (query.kinds.length === 0) return [];
  const rows = await kysely
    .selectFrom('events')
    .select(inputEventColumns)
    .where('kind', 'in', [...query.kinds])
    .where('received_at', '>=', query.since)
    .where('id', '>', query.afterId)
    .orderBy('id')
    .limit(query.limit)
    .execute();
  return rows.flatMap(toStoredEvent);
}

/** Notes that a set of rules has judged events. Returns those that no other worker was first with. */
export async function markMatched(
  transaction: TransactionHandle,
  { ids, ruleSet, now }: { readonly ids: readonly number[]; readonly ruleSet: string; readonly now: Date },
): Promise<ReadonlySet<number>> {
  const rows = await transaction
    .updateTable('events')
    .set({ matched_at: now, stage: 'done', rule_set: ruleSet })
    .where('id', 'in', (select) =>
      select
        .selectFrom('events')
        .select('id')
        .where('id', 'in', [...ids])
        .where('stage', '<>', 'done')
        .orderBy('id')
        .forUpdate(),
    )
    .returning('id')
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** Returns ids of events of a stage that were received between two moments, oldest first. */
export async function findWaitingEvents(
  kysely: DatabaseHandle,
  of: { readonly stage: 'enrich' | 'match'; readonly from: Date; readonly to: Date },
  limit: number,
): Promise<number[]> {
  const rows = await kysely
    .selectFrom('events')
    .select('id')
    .where('stage', '=', of.stage)
    .where(sql<boolean>`stage <> 'done'`)
    .where('received_at', '>=', of.from)
    .where('received_at', '<', of.to)
    .orderBy('received_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** An event that waits for what its message did not say. */
export interface IncompleteEvent {
  readonly id: number;
  readonly event: DomainEvent;
  readonly trace: string | null;
}

/** Returns those of these events that are still to be completed, by id. */
export async function findIncomplete(
  kysely: DatabaseHandle,
  ids: readonly number[],
): Promise<readonly IncompleteEvent[]> {
  const rows = await kysely
    .selectFrom('events')
    .select(['id', 'event', 'trace'])
    .where('id', 'in', [...ids])
    .where('stage', '=', 'enrich')
    .orderBy('id')
    .execute();
  return rows.flatMap(({ id, event, trace }) => (event === null ? [] : [{ id, event, trace }]));
}

/**
 * Notes that events were completed with what their messages did not say and are to be matched. Returns the ids of those
 * that waited for that.
 */
export async function markCompleted(
  transaction: TransactionHandle,
  events: readonly Pick<IncompleteEvent, 'id' | 'event'>[],
): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    update events set event = completed.event, stage = 'match'
    from jsonb_to_recordset(${JSON.stringify(events)}::jsonb) as completed(id bigint, event jsonb)
    where events.id = completed.id and events.stage = 'enrich'
    returning events.id`.execute(transaction);
  return rows.map(({ id }) => id);
}

/**
 * Stores an event that the reactor makes itself and enqueues its matching. Its message id names what it is about,
 * so that two workers that make the same one store one. Returns its id, or undefined where it was there.
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
      trace: currentTrace(),
    })
    .onConflict((conflict) => conflict.columns(['bus', 'message_id']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  await tx.send('event.match', { eventId: row.id });
  return row.id;
}

function toStoredEvent(row: InputEventRow): StoredEvent[] {
  if (row.event === null) return [];
  return [
    {
      id: row.id,
      stage: row.stage,
      ruleSet: row.rule_set,
      trace: row.trace,
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

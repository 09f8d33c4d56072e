import type { Readable } from '../model/readers.ts';
import { sql, type Selectable } from 'kysely';
import type { EventsTable } from './tables.ts';
import { isEmbargoed } from './embargoed-builds.ts';
import type { DatabaseHandle } from './database-handle.ts';

/** Which events; what is absent does not matter. */
export interface EventFilters {
  readonly kind?: string;
  readonly bus?: string;
  readonly topic?: string;
  readonly instance?: string;
  /** Only those that could not be understood. */
  readonly isPoison?: boolean;
  /** Only numbers below, for the next page of the past. */
  readonly before?: number;
  /** Only numbers above, oldest first, for following. */
  readonly after?: number;
}

/** A stored event without its raw message. */
export type EventSummary = Omit<
  Selectable<EventsTable>,
  'headers' | 'body' | 'stage' | 'rule_set' | 'trace'
> & {
  /** Whose the compose or rule of this service is that it tells of, where not everybody may read that. */
  readonly private_to?: Readable | null;
  /** Whether it names a build that is under embargo. */
  readonly is_embargoed?: boolean;
};

const summaryColumns = [
  'id',
  'bus',
  'message_id',
  'topic',
  'raw_topic',
  'received_at',
  'sent_at',
  'producer',
  'instance',
  'kind',
  'event',
  'reason',
  'matched_at',
] as const;

/** The private compose or rule that an event tells of; asked for only where the event is of one. */
const privateTo = sql<Readable | null>`case
  when kind = 'compose.state' and event ->> 'system' = 'odcs' and event ->> 'id' ~ '^[0-9]{1,9}$'
  then (select jsonb_build_object('owner', owner, 'readers', readers) from composes
    where composes.id = (event ->> 'id')::integer and readers is not null)
  when kind in ('schedule.tick', 'state.swept')
  then (select jsonb_build_object('owner', '', 'readers', readers) from private_rules
    where private_rules.name = event ->> 'rule') end`.as('private_to');

/** Stored events, newest first; with `after` oldest first. */
export async function listEvents(
  kysely: DatabaseHandle,
  filters: EventFilters,
  limit: number,
): Promise<EventSummary[]> {
  let query = kysely
    .selectFrom('events')
    .select(summaryColumns)
    .select([privateTo, isEmbargoed.as('is_embargoed')])
    .orderBy('id', filters.after === undefined ? 'desc' : 'asc')
    .limit(limit);
  for (const column of ['kind', 'bus', 'topic', 'instance'] as const) {
    const value = filters[column];
    if (value !== undefined) query = query.where(column, '=', value);
  }
  if (filters.isPoison === true) query = query.where('kind', 'is', null);
  if (filters.before !== undefined) query = query.where('id', '<', filters.before);
  if (filters.after !== undefined) query = query.where('id', '>', filters.after);
  return query.execute();
}

/** Whether an event is among those that the filters pick, as `listEvents` picks them. */
export function isPicked(event: EventSummary, filters: EventFilters): boolean {
  return (
    (['kind', 'bus', 'topic', 'instance'] as const).every(
      (column) => filters[column] === undefined || filters[column] === event[column],
    ) &&
    (filters.isPoison !== true || event.kind === null) &&
    (filters.before === undefined || event.id < filters.before) &&
    (filters.after === undefined || event.id > filters.after)
  );
}

/** The events above a number as one snapshot shows them, and which transactions that snapshot does not see. */
export interface EventLook {
  /** Oldest first. */
  readonly events: readonly EventSummary[];
  /** The oldest transaction that still ran; every older one has ended. Zero where there are no events. */
  readonly oldestRunning: bigint;
  /** The first transaction that had not begun. Zero where there are no events. */
  readonly nextTransaction: bigint;
}

/** Looks at the first `limit` events above a number. */
export async function lookAtEvents(kysely: DatabaseHandle, after: number, limit: number): Promise<EventLook> {
  const rows = await kysely
    .selectFrom('events')
    .select(summaryColumns)
    .select([
      privateTo,
      isEmbargoed.as('is_embargoed'),
      sql<string>`pg_snapshot_xmin(pg_current_snapshot())::text`.as('oldest_running'),
      sql<string>`pg_snapshot_xmax(pg_current_snapshot())::text`.as('next_transaction'),
    ])
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return {
    events: rows.map(({ oldest_running: _oldest, next_transaction: _next, ...event }) => event),
    oldestRunning: BigInt(rows[0]?.oldest_running ?? 0),
    nextTransaction: BigInt(rows[0]?.next_transaction ?? 0),
  };
}

/** One event with its raw message, or undefined. */
export async function findStoredEvent(
  kysely: DatabaseHandle,
  id: number,
): Promise<Selectable<EventsTable> | undefined> {
  return kysely.selectFrom('events').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The number of the newest event; 0 where there is none. */
export async function newestEventId(kysely: DatabaseHandle): Promise<number> {
  const row = await kysely
    .selectFrom('events')
    .select(({ fn }) => fn.max('id').as('id'))
    .executeTakeFirst();
  return Number(row?.id ?? 0);
}

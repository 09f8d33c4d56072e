import type { Selectable } from 'kysely';
import type { EventsTable } from './tables.ts';
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
export type EventSummary = Omit<Selectable<EventsTable>, 'headers' | 'body'>;

/** Stored events, newest first; with `after` oldest first. */
export async function listEvents(
  handle: DatabaseHandle,
  filters: EventFilters,
  limit: number,
): Promise<EventSummary[]> {
  let query = handle
    .selectFrom('events')
    .select([
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
    ])
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

/** One event with its raw message, or undefined. */
export async function findStoredEvent(
  handle: DatabaseHandle,
  id: number,
): Promise<Selectable<EventsTable> | undefined> {
  return handle.selectFrom('events').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The number of the newest event; 0 where there is none. */
export async function newestEventId(handle: DatabaseHandle): Promise<number> {
  const row = await handle
    .selectFrom('events')
    .select(({ fn }) => fn.max('id').as('id'))
    .executeTakeFirst();
  return Number(row?.id ?? 0);
}

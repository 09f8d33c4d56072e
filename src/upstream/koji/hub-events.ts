import { ReactorError } from '../../model/errors.ts';
import { FAULT_GENERIC, KojiFault } from './hub-fault.ts';
import { HubRow, unexpected } from './hub-row.ts';
import type { CallOptions, KojiHub } from './hub.ts';
import type { XmlRpcRows } from './xml-rpc-read.ts';

/** A numbered change of the hub and when it happened, in milliseconds. */
export interface KojiEvent {
  readonly id: number;
  readonly at: number;
}

/**
 * The highest event that is visible now, or was before a time (milliseconds). Lower ones may still appear: see
 * Koji contract 2.1. Null only with `before`.
 */
export async function getLastEvent(
  hub: KojiHub,
  options: CallOptions & { readonly before?: number } = {},
): Promise<KojiEvent | null> {
  const before = options.before;
  const keywords = before === undefined ? {} : { before: before / 1000, strict: false };
  const value = await hub.call('getLastEvent', [], keywords, options);
  return value === null && before !== undefined ? null : readEvent(value, 'getLastEvent');
}

/** The event of a number; null where the hub has none (ids have holes). */
export async function getEvent(
  hub: KojiHub,
  id: number,
  options: CallOptions = {},
): Promise<KojiEvent | null> {
  const value = await hub.call('getEvent', [id], { strict: false }, options).catch((error: unknown) => {
    if (error instanceof KojiFault && error.faultCode === FAULT_GENERIC) return null;
    throw error;
  });
  return value === null ? null : readEvent(value, `getEvent(${id})`);
}

function readEvent(value: Parameters<typeof unexpected>[2], about: string): KojiEvent {
  const row = new HubRow(value, about);
  return { id: row.integer('id'), at: row.number('ts') * 1000 };
}

/** One tagging or untagging out of the hub's history. */
export interface TagHappening {
  readonly kind: 'tagged' | 'untagged';
  readonly event: number;
  /** Milliseconds. */
  readonly at: number;
  readonly tagId: number;
  readonly tagName: string;
  readonly buildId: number;
  readonly name: string;
  readonly version: string;
  readonly release: string;
  /** Who did it; null where the hub does not say. */
  readonly user: string | null;
}

/**
 * Every tagging and untagging after an event, oldest first; on the whole hub or in one tag. Ask with an overlap
 * of some minutes and drop what is known: events become visible out of order.
 * Source: Koji contract 2.3.
 */
export async function queryTagHistory(
  hub: KojiHub,
  query: CallOptions & { readonly afterEvent: number; readonly tag?: string },
): Promise<readonly TagHappening[]> {
  let happenings: TagHappening[] = [];
  const about = `queryHistory after event ${query.afterEvent}`;
  const makeRows = (): XmlRpcRows => {
    happenings = [];
    return {
      depth: 2,
      onRow: (row) => happenings.push(...readHappenings(new HubRow(row, about), query.afterEvent)),
    };
  };
  await hub.callRows(
    'queryHistory',
    [],
    {
      tables: ['tag_listing'],
      afterEvent: query.afterEvent,
      ...(query.tag === undefined ? {} : { tag: query.tag }),
    },
    makeRows,
    query,
  );
  return happenings.sort((left, right) => left.event - right.event);
}

/** Reads the tagging and the untagging that a row of `tag_listing` tells of, those after an event only. */
export function readHappenings(row: HubRow, afterEvent: number): TagHappening[] {
  const common = {
    tagId: row.integer('tag_id'),
    tagName: row.text('tag.name'),
    buildId: row.integer('build_id'),
    name: row.text('name'),
    version: row.text('version'),
    release: row.text('release'),
  };
  const happenings: TagHappening[] = [];
  const created = row.integer('create_event');
  const revoked = row.integerOrNull('revoke_event');
  if (created > afterEvent) {
    happenings.push({
      ...common,
      kind: 'tagged',
      event: created,
      at: row.number('create_ts') * 1000,
      user: row.textOrNull('creator_name'),
    });
  }
  if (revoked !== null && revoked > afterEvent) {
    happenings.push({
      ...common,
      kind: 'untagged',
      event: revoked,
      at: row.number('revoke_ts') * 1000,
      user: row.textOrNull('revoker_name'),
    });
  }
  return happenings;
}

/** Tables of the hub whose changes decide which builds a tag holds. */
export const CONTENT_TABLES = ['tag_listing', 'tag_packages', 'tag_inheritance', 'tag_config'];

/**
 * A line for every change that decides which builds these tags hold, after one event and up to another, sorted.
 * Asked twice, it shows what became visible in between.
 * Source: Koji contract 2.1 and 2.3.
 */
export async function queryContentChanges(
  hub: KojiHub,
  query: CallOptions & {
    readonly afterEvent: number;
    readonly upToEvent: number;
    readonly tagIds: readonly number[];
  },
): Promise<readonly string[]> {
  const tags = new Set(query.tagIds);
  let lines: string[] = [];
  const makeRows = (): XmlRpcRows => {
    lines = [];
    return {
      depth: 2,
      keep: new Set(['tag_id', 'create_event', 'revoke_event', 'build_id', 'package_id', 'parent_id']),
      onRow: (value, table) => {
        const row = new HubRow(value, `queryHistory of ${table}`);
        if (!tags.has(row.integer('tag_id'))) return;
        const what =
          row.integerOrNull('build_id') ?? row.integerOrNull('package_id') ?? row.value('parent_id');
        for (const member of ['create_event', 'revoke_event']) {
          const event = row.integerOrNull(member);
          if (event === null || event <= query.afterEvent || event > query.upToEvent) continue;
          lines.push(`${table} ${member} ${event} ${row.integer('tag_id')} ${String(what)}`);
        }
      },
    };
  };
  const keywords = { tables: CONTENT_TABLES, afterEvent: query.afterEvent };
  await hub.callRows('queryHistory', [], keywords, makeRows, query);
  return lines.sort();
}

/** The error for an event that the hub does not have, or does not have yet. */
export function eventUnknown(hub: KojiHub, id: number, last: KojiEvent): ReactorError {
  const isFuture = id > last.id;
  return new ReactorError(
    isFuture ? 'koji.event_in_future' : 'koji.event_unknown',
    isFuture
      ? `Koji event ${id} is in the future: the hub's last event is ${last.id}.`
      : `The Koji hub has no event ${id}.`,
    {
      where: hub.url,
      hint: 'Leave koji_event out to compose from the present content of the tag.',
    },
  );
}

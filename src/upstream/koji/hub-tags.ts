import { ReactorError } from '../../model/errors.ts';
import { FAULT_GENERIC, FAULT_PARAMETER, KojiFault } from './hub-fault.ts';
import { HubRow, rowsOf, unexpected } from './hub-row.ts';
import type { CallOptions, KojiHub } from './hub.ts';
import { readBuild, readRpm, ROW_MEMBERS, type KojiBuild, type KojiRpm } from './koji-build.ts';
import type { XmlRpcRows } from './xml-rpc-read.ts';
import type { XmlRpcKeywords } from './xml-rpc-value.ts';

export interface KojiTag {
  readonly id: number;
  readonly name: string;
  readonly arches: readonly string[];
  readonly isLocked: boolean;
}

/** A tag that another one inherits from. */
export interface KojiParent {
  readonly tagId: number;
  readonly name: string;
}

/** What to list. Without `event` the answer is of the moment. */
export interface TagQuery extends CallOptions {
  readonly tag: string;
  readonly event?: number;
  readonly inherit: boolean;
  /** Only the build of each package that was tagged last, along the inheritance. Defaults to true. */
  readonly latest?: boolean;
  /** Only the builds of this package. */
  readonly package?: string;
}

/** The RPMs in a tag, with their builds by id. */
export interface TagContent {
  readonly rpms: readonly KojiRpm[];
  readonly builds: ReadonlyMap<number, KojiBuild>;
}

/** A tag by name, now or at an event; null where it does not exist (then). */
export async function getTag(
  hub: KojiHub,
  name: string,
  options: CallOptions & { readonly event?: number } = {},
): Promise<KojiTag | null> {
  const keywords = options.event === undefined ? {} : { event: options.event };
  const value = await hub.call('getTag', [name], keywords, options);
  if (value === null) return null;
  const row = new HubRow(value, `getTag of ${name}`);
  return {
    id: row.integer('id'),
    name: row.text('name'),
    arches: (row.textOrNull('arches') ?? '').split(' ').filter((arch) => arch !== ''),
    isLocked: row.flag('locked'),
  };
}

/** The error for a tag that does not exist, in the words of the service's clients. Source: ODCS contract 15. */
export function tagUnknown(hub: KojiHub, tag: string, event?: number): ReactorError {
  return new ReactorError('koji.tag_unknown', `Unknown Koji tag ${tag}.`, {
    where: event === undefined ? hub.url : `${hub.url} at event ${event}`,
    hint:
      event === undefined ? 'Look for it with: koji list-tags' : 'It may exist now and not at this event.',
  });
}

/** The whole inheritance of a tag without the tag itself, in search order. Throws `koji.tag_unknown`. */
export async function getFullInheritance(
  hub: KojiHub,
  tag: string,
  options: CallOptions & { readonly event?: number } = {},
): Promise<readonly KojiParent[]> {
  const keywords = options.event === undefined ? {} : { event: options.event };
  const value = await unlessUnknown(hub, tag, options.event, () =>
    hub.call('getFullInheritance', [tag], keywords, options),
  );
  return rowsOf(value, `getFullInheritance of ${tag}`).map((entry) => {
    const row = new HubRow(entry, `getFullInheritance of ${tag}`);
    return { tagId: row.integer('parent_id'), name: row.text('name') };
  });
}

/**
 * Whether a tag of a tree (ids, as inheritance is not followed) changed after an event. Signatures and deletions
 * are no change. Source: Koji contract 2.2.
 */
export async function haveTagsChanged(
  hub: KojiHub,
  event: number,
  tagIds: readonly number[],
  options: CallOptions = {},
): Promise<boolean> {
  if (tagIds.length === 0) return false;
  const value = await hub.call('tagChangedSinceEvent', [event, tagIds], {}, options);
  if (typeof value === 'boolean') return value;
  throw unexpected(`tagChangedSinceEvent after ${event}`, 'a boolean', value);
}

/**
 * All RPMs of a tag with their builds, drafts left out, read as a stream. Duplicates from a tag that occurs
 * twice in the tree are one. Throws `koji.tag_unknown`.
 * Source: Koji contract 4; Pungi contract 2.1.
 */
export async function listTaggedRpms(hub: KojiHub, query: TagQuery): Promise<TagContent> {
  let rpms = new Map<number, KojiRpm>();
  let builds = new Map<number, KojiBuild>();
  const about = `listTaggedRPMS of tag ${query.tag}`;
  const makeRows = (): XmlRpcRows => {
    rpms = new Map();
    builds = new Map();
    return {
      depth: 2,
      keep: ROW_MEMBERS,
      onRow: (row, branch) => {
        if (branch === 0) {
          const rpm = readRpm(row, about);
          if (rpm !== null) rpms.set(rpm.id, rpm);
        } else {
          const build = readBuild(row, about);
          if (!builds.has(build.id)) builds.set(build.id, build);
        }
      },
    };
  };
  const value = await listWithoutDrafts(hub, 'listTaggedRPMS', query, makeRows);
  if (rowsOf(value, about).length !== 2) throw unexpected(about, 'RPMs and builds', value);
  const kept = new Map([...builds].filter(([, build]) => !build.isDraft));
  return { rpms: [...rpms.values()].filter((rpm) => kept.has(rpm.buildId)), builds: kept };
}

/** The builds of a tag, drafts left out; `type` as Koji names it (`module`). Throws `koji.tag_unknown`. */
export async function listTagged(
  hub: KojiHub,
  query: TagQuery & { readonly type?: string },
): Promise<readonly KojiBuild[]> {
  let builds: KojiBuild[] = [];
  const about = `listTagged of tag ${query.tag}`;
  const makeRows = (): XmlRpcRows => {
    builds = [];
    return { depth: 1, keep: ROW_MEMBERS, onRow: (row) => builds.push(readBuild(row, about)) };
  };
  const more = query.type === undefined ? {} : { type: query.type };
  rowsOf(await listWithoutDrafts(hub, 'listTagged', query, makeRows, more), about);
  return builds.filter((build) => !build.isDraft);
}

async function listWithoutDrafts(
  hub: KojiHub,
  method: string,
  query: TagQuery,
  makeRows: () => XmlRpcRows,
  more: XmlRpcKeywords = {},
): ReturnType<KojiHub['call']> {
  const keywords = {
    inherit: query.inherit,
    latest: query.latest ?? true,
    ...(query.event === undefined ? {} : { event: query.event }),
    ...(query.package === undefined ? {} : { package: query.package }),
    ...more,
  };
  const ask = (draft: XmlRpcKeywords): ReturnType<KojiHub['call']> =>
    hub.callRows(method, [query.tag], { ...keywords, ...draft }, makeRows, query);
  return unlessUnknown(hub, query.tag, query.event, () =>
    ask({ draft: false }).catch((error: unknown) => {
      // Hubs before 1.34 know no drafts and refuse the keyword.
      if (error instanceof KojiFault && error.faultCode === FAULT_PARAMETER) return ask({});
      throw error;
    }),
  );
}

/**
 * Turns a generic fault into `koji.tag_unknown` where the tag really does not exist: the texts of faults differ
 * by call and version, so the hub is asked.
 */
async function unlessUnknown<Answer>(
  hub: KojiHub,
  tag: string,
  event: number | undefined,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    const isGeneric = error instanceof KojiFault && error.faultCode === FAULT_GENERIC;
    if (isGeneric && (await getTag(hub, tag, event === undefined ? {} : { event })) === null) {
      throw tagUnknown(hub, tag, event);
    }
    throw error;
  }
}

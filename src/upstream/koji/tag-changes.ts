import { CONTENT_TABLES, readHappenings, type TagHappening } from './hub-events.ts';
import { KojiFault } from './hub-fault.ts';
import { HubRow, rowsOf } from './hub-row.ts';
import { getFullInheritance, getTag, tagUnknown } from './hub-tags.ts';
import type { CallOptions, KojiHub } from './hub.ts';
import { isStruct, type XmlRpcValue } from './xml-rpc-value.ts';

/** What happened in a tag and those it inherits from. */
export interface TreeChanges {
  readonly taggings: readonly TagHappening[];
  /** Whether anything else changed that decides which builds the tag holds: blocks, inheritance, the tag itself. */
  readonly hasOthers: boolean;
}

/**
 * Returns what happened in a tag and those it inherits from now after an event. One call for each tag, as the history
 * of the whole hub may be long. Throws `koji.tag_unknown`. Source: Koji contract 2.3.
 */
export async function queryTreeChanges(
  hub: KojiHub,
  query: CallOptions & { readonly tag: string; readonly afterEvent: number },
): Promise<TreeChanges> {
  const { tag, afterEvent } = query;
  const [own, parents] = await Promise.all([
    getTag(hub, tag, query),
    getFullInheritance(hub, tag, { signal: query.signal }),
  ]);
  if (own === null) throw tagUnknown(hub, tag);
  const tree = new Map([[own.id, own.name], ...parents.map(({ tagId, name }) => [tagId, name] as const)]);
  const answers = await hub.multicall(
    [...tree.values()].map((name) => ({
      method: 'queryHistory',
      args: [],
      keywords: { tables: CONTENT_TABLES, tag: name, afterEvent },
    })),
  );
  const taggings: TagHappening[] = [];
  let hasOthers = false;
  for (const answer of answers) {
    for (const [table, row] of rowsOfTables(answer, `queryHistory of ${tag}`)) {
      if (!tree.has(row.integer('tag_id'))) continue;
      if (table === 'tag_listing') taggings.push(...readHappenings(row, afterEvent));
      else hasOthers ||= isAfter(row, afterEvent);
    }
  }
  return { taggings: taggings.sort((left, right) => left.event - right.event), hasOthers };
}

function isAfter(row: HubRow, afterEvent: number): boolean {
  return row.integer('create_event') > afterEvent || (row.integerOrNull('revoke_event') ?? 0) > afterEvent;
}

function rowsOfTables(
  answer: XmlRpcValue | KojiFault,
  about: string,
): readonly (readonly [string, HubRow])[] {
  if (answer instanceof KojiFault) throw answer;
  if (!isStruct(answer)) return [];
  return Object.entries(answer).flatMap(([table, rows]) =>
    rowsOf(rows, about).map((row) => [table, new HubRow(row, about)] as const),
  );
}

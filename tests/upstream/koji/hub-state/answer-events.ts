import { ServedFault } from '../hub-server.ts';
import type { XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import {
  FAULT_GENERIC,
  FAULT_PARAMETER,
  method,
  shown,
  type CallArguments,
  type HubMethod,
} from './call-arguments.ts';
import type { LoggedEvent } from './event-log.ts';
import type { HubTables } from './hub-tables.ts';
import { readTagTree } from './tag-tree.ts';

/** The calls about events and changes. Source: Koji contract 2, 2.2. */
export const eventMethods: Readonly<Record<string, HubMethod>> = {
  getLastEvent: method('before strict', (call) => {
    const before = call.value('before');
    if (before !== null && typeof before !== 'number') {
      throw new ServedFault(FAULT_GENERIC, `Invalid type for before: ${shown(before)}`);
    }
    return strictly(call, call.tables.events.last(before ?? undefined));
  }),
  getEvent: method('id! strict', (call) => {
    const id = call.value('id');
    if (typeof id !== 'number') {
      throw new ServedFault(FAULT_PARAMETER, "Invalid type, expected type <class 'int'>");
    }
    return strictly(call, call.tables.events.find(id));
  }),
  tagChangedSinceEvent: method('event! taglist!', (call) => {
    const ids = call.list('taglist');
    if (ids.length === 0 || ids.some((id) => typeof id !== 'number')) {
      throw new ServedFault(1, 'Traceback (most recent call last):\nsyntax error at or near ")"');
    }
    const tags = new Set(ids.map(Number));
    const since = call.number('event') ?? 0;
    return changesOf(call.tables, tags).some((event) => event > since);
  }),
  tagLastChangeEvent: method('tag! before inherit', (call) => {
    const before = call.number('before') ?? Infinity;
    const events = changesOf(call.tables, treeOf(call)).filter((event) => event < before);
    return events.length === 0 ? null : Math.max(...events);
  }),
  tagFirstChangeEvent: method('tag! after inherit', (call) => {
    const after = call.number('after') ?? 0;
    const events = changesOf(call.tables, treeOf(call)).filter((event) => event > after);
    return events.length === 0 ? null : Math.min(...events);
  }),
};

function strictly(call: CallArguments, event: LoggedEvent | undefined): XmlRpcValue {
  if (event !== undefined) return { ...event };
  if (call.flag('strict', true)) throw new ServedFault(FAULT_GENERIC, 'query returned no rows');
  return null;
}

function treeOf(call: CallArguments): ReadonlySet<number> {
  const tagId = call.tagEver('tag');
  const links = call.flag('inherit', true) ? readTagTree(call.tables, tagId, { event: null }) : [];
  return new Set([tagId, ...links.map(({ parentId }) => parentId)]);
}

/** The events of all committed changes of these tags; what signatures and builds do is none. */
function changesOf(tables: HubTables, tagIds: ReadonlySet<number>): readonly number[] {
  return tables
    .ofTags()
    .flatMap((table) => table.history())
    .filter(({ content }) => tagIds.has(content.tagId))
    .flatMap(({ created, revoked }) => (revoked === null ? [created.event] : [created.event, revoked.event]));
}

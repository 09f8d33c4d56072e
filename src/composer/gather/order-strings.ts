import type { Turns } from '../../in-turns.ts';
import { textOfByteString, byteStringOf } from '../../rpm/repodata/xml-scan.ts';
import { DependencyTable } from './dependency-table.ts';
import { columnsFrom, GatherIndex, type IndexColumn } from './gather-index.ts';
import { namesOfRich } from './resolve-rich.ts';
import { supersededOfIndex } from './universe.ts';

/** Columns whose values are strings. */
const ofStrings: ReadonlySet<IndexColumn> = new Set<IndexColumn>([
  'name',
  'arch',
  'evr',
  'sourceRpm',
  'sourceNvr',
  'provideName',
  'provideEvr',
]);

/** Columns by string. */
const byString: ReadonlySet<IndexColumn> = new Set<IndexColumn>([
  'firstByName',
  'firstBySourceRpm',
  'firstSource',
  'firstProvide',
]);

/** Strings that are moved before others may have their turn. */
const MOVED_TOGETHER = 8_192;

/** An index whose strings are numbered in the order that a file has them in. */
export interface OrderedIndex {
  readonly index: GatherIndex;
  /** How many of the first strings a gather may look at: the others are provided, and nobody requires them. */
  readonly first: number;
}

/**
 * Returns a copy of an index with the strings that gathers look at in front, so that a file of it needs not be read as a
 * whole. Nothing may be added to the index meanwhile.
 */
export function* orderStrings(index: GatherIndex): Turns<OrderedIndex> {
  const order = new Int32Array(index.strings.count);
  let count = 0;
  const moved = new Int32Array(index.strings.count).fill(-1);
  const move = function* (ids: ArrayLike<number>): Turns<void> {
    for (let at = 0; at < ids.length; at += 1) {
      if (at % MOVED_TOGETHER === 0) yield;
      const id = ids[at] ?? -1;
      if (id < 0 || (moved[id] ?? 0) >= 0) continue;
      order[count] = id;
      moved[id] = count;
      count += 1;
    }
  };
  // What columns go by is the sooner at an end the earlier it comes.
  yield* move(index.columns.sourceRpm.used());
  for (const ids of gatheredStrings(index)) yield* move(ids);
  const first = count;
  yield* move(Int32Array.from(moved.keys()));
  yield;
  const strings = index.strings.inOrder(order);
  const newOf = (id: number): number => (id < 0 ? id : (moved[id] ?? -1));
  const dependencies = new DependencyTable(strings);
  for (let id = 0; id < index.dependencies.count; id += 1) {
    if (id % MOVED_TOGETHER === 0) yield;
    const { dependencies: from } = index;
    dependencies.intern(newOf(from.nameOf(id)), from.flagOf(id), newOf(from.evrOf(id)));
  }
  const ordered = new Map<IndexColumn, Int32Array>();
  for (const column of [...ofStrings, ...byString]) {
    yield;
    const data = index.columns[column].used();
    ordered.set(column, ofStrings.has(column) ? data.map(newOf) : scatter(data, moved));
  }
  const copy = new GatherIndex({
    strings,
    pkgids: () => index.pkgids,
    texts: () => index.texts,
    dependencies,
    repositories: index.repositories,
    columns: columnsFrom((column) => {
      const data = ordered.get(column) ?? index.columns[column].used();
      return { length: data.length, read: () => data };
    }),
    answeredPaths: [...index.answeredPaths].map(newOf),
  });
  copy.superseded = supersededOfIndex(index);
  return { index: copy, first };
}

/** The strings that a gather may look at: names, versions, what is required, and what rich dependencies speak of. */
function* gatheredStrings({ columns, dependencies, strings }: GatherIndex): Generator<ArrayLike<number>> {
  yield columns.name.used();
  yield columns.arch.used();
  yield columns.evr.used();
  yield columns.provideEvr.used();
  yield dependencies.column('names');
  yield dependencies.column('evrs');
  for (let id = 0; id < dependencies.count; id += 1) {
    if (!dependencies.isRich(id)) continue;
    const names = namesOfRich(textOfByteString(strings.get(dependencies.nameOf(id))));
    yield names.map((name) => strings.find(byteStringOf(name)));
  }
}

/** Returns a column by string for the new numbers, without what was never set at its end. */
function scatter(data: Int32Array, moved: Int32Array): Int32Array {
  let length = 0;
  for (let id = 0; id < data.length; id += 1) {
    if ((data[id] ?? -1) >= 0) length = Math.max(length, (moved[id] ?? -1) + 1);
  }
  const scattered = new Int32Array(length).fill(-1);
  for (let id = 0; id < data.length; id += 1) {
    if ((data[id] ?? -1) >= 0) scattered[moved[id] ?? -1] = data[id] ?? -1;
  }
  return scattered;
}

import { z } from 'zod';
import { inTurns } from '../../in-turns.ts';
import { dependencyColumns, DependencyTable } from './dependency-table.ts';
import { columnsFrom, GatherIndex, indexColumns, type IndexColumn } from './gather-index.ts';
import type { SavedColumn } from './int-column.ts';
import { SectionFile, writeSections, type Section } from './section-file.ts';
import { orderStrings, type OrderedIndex } from './order-strings.ts';
import { StringTable, type StringBytes } from './string-table.ts';
import { supersededOfIndex } from './universe.ts';

const MAGIC = 'odcs-gather-index-8\n';

const aboutSchema = z.object({
  key: z.string(),
  repositories: z.array(z.object({ name: z.string(), isLookaside: z.boolean() })),
  answeredPaths: z.array(z.number().int().nonnegative()),
});

/** Columns that every gather looks at. */
const gathered: readonly IndexColumn[] = [
  'name',
  'arch',
  'evr',
  'sourceRpm',
  'sourceNvr',
  'isRemoved',
  'isDebug',
  'requiresFrom',
  'requiresTo',
  'requires',
  'nextByName',
  'nextBySourceRpm',
  'nextSource',
  'firstByName',
  'firstBySourceRpm',
  'firstSource',
  'firstProvide',
  'nextProvide',
  'provideOwner',
  'provideFlag',
  'provideEvr',
];

/** Sections that lie together at the beginning, since every gather wants them; the others are read when something does. */
const together: readonly string[] = [
  'superseded',
  ...['bytes', 'offsets', 'slots'].map((part) => `strings.${part}`),
  ...['names', 'flags', 'evrs'].map((column) => `dependencies.${column}`),
  ...gathered.map((column) => `columns.${column}`),
];

function sectionsOf({ index, first }: OrderedIndex): readonly (readonly [string, Section])[] {
  const sections = new Map<string, Section>([['superseded', supersededOfIndex(index)]]);
  for (const [name, count] of [
    ['strings', first],
    ['pkgids', 0],
    ['texts', 0],
  ] as const) {
    const { bytes, offsets, slots } = index[name].arrays();
    const end = offsets[count] ?? 0;
    sections.set(`${name}.bytes`, bytes.subarray(0, end));
    sections.set(`${name}.offsets`, offsets.subarray(0, count + 1));
    sections.set(`${name}.slots`, slots);
    sections.set(`${name}.otherBytes`, bytes.subarray(end));
    sections.set(`${name}.otherOffsets`, offsets.subarray(count));
  }
  for (const column of dependencyColumns) {
    sections.set(`dependencies.${column}`, index.dependencies.column(column));
  }
  for (const column of indexColumns) sections.set(`columns.${column}`, index.columns[column].used());
  const isFirst = new Set(together);
  const all = [...sections];
  return [...all.filter(([name]) => isFirst.has(name)), ...all.filter(([name]) => !isFirst.has(name))];
}

/**
 * Writes an index to a file, under `key` (what the index was made from, for example the checksums of its
 * primary.xml files). The file appears by a rename, whole or not at all, with a checksum for each of its columns.
 * Throws errors of the file system, and `gather.index_broken` where the index is of a file that is damaged.
 */
export async function saveIndex(path: string, index: GatherIndex, key: string): Promise<void> {
  const ordered = await inTurns(orderStrings(index));
  const { repositories, answeredPaths } = ordered.index;
  const about = { key, repositories, answeredPaths: [...answeredPaths] };
  await writeSections(path, MAGIC, about, sectionsOf(ordered));
}

/**
 * Reads an index written by `saveIndex`; null when there is no file or it was made from something else or by
 * another version. Nothing is decoded: the arrays of the index are views of the file's bytes. What not every gather needs
 * is read when somebody looks at it, which throws `gather.index_broken`, as this does, where it is damaged.
 */
export async function loadIndex(path: string, key: string): Promise<GatherIndex | null> {
  const file = await SectionFile.open(path, MAGIC);
  if (file === null) return null;
  const about = aboutSchema.safeParse(file.about);
  if (!about.success) throw file.broken();
  if (about.data.key !== key) {
    file.close();
    return null;
  }
  const read = await file.readTogether(together);
  const raw = (name: string): Uint8Array => read.get(name) ?? file.read(name);
  const ints = (name: string): Int32Array => {
    const { buffer, byteOffset, byteLength } = raw(name);
    return new Int32Array(buffer, byteOffset, byteLength >> 2);
  };
  const column = (name: string): SavedColumn => ({ length: file.sizeOf(name) >> 2, read: () => ints(name) });
  const bytesOf = (bytes: string, offsets: string): StringBytes => {
    const { buffer, byteOffset, byteLength } = raw(offsets);
    return { bytes: raw(bytes), offsets: new Uint32Array(buffer, byteOffset, byteLength >> 2) };
  };
  const tableOf = (name: string): StringTable =>
    new StringTable({
      count: (file.sizeOf(`${name}.offsets`) + file.sizeOf(`${name}.otherOffsets`)) / 4 - 2,
      first: bytesOf(`${name}.bytes`, `${name}.offsets`),
      slots: ints(`${name}.slots`),
      readRest: () => bytesOf(`${name}.otherBytes`, `${name}.otherOffsets`),
    });
  const strings = tableOf('strings');
  const index = new GatherIndex({
    strings,
    pkgids: () => tableOf('pkgids'),
    texts: () => tableOf('texts'),
    dependencies: new DependencyTable(strings, (name) => column(`dependencies.${name}`)),
    repositories: about.data.repositories,
    columns: columnsFrom((name) => column(`columns.${name}`)),
    answeredPaths: about.data.answeredPaths,
  });
  index.superseded = raw('superseded');
  return index;
}

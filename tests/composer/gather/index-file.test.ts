import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { gather } from '../../../src/composer/gather/gather.ts';
import { indexColumns, type GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import { loadIndex, saveIndex } from '../../../src/composer/gather/index-file.ts';
import type { GatherResult } from '../../../src/composer/gather/gather-result.ts';
import { indexOfSmall } from './small-universe.ts';

const folder = mkdtempSync(join(tmpdir(), 'index-file-'));
after(() => rmSync(folder, { recursive: true }));

const ask = { arch: 'x86_64', packages: ['a'] } as const;

async function save(file: string): Promise<Buffer> {
  const index = indexOfSmall([
    { name: 'a', requires: ['b >= 1', '(c if b)'], provides: ['nobody-wants-this'], files: ['/etc/a'] },
    { name: 'b', version: '2' },
    { name: 'c' },
  ]);
  await saveIndex(file, index, 'key');
  return readFileSync(file);
}

async function load(file: string): Promise<GatherIndex> {
  const index = await loadIndex(file, 'key');
  assert.ok(index !== null);
  return index;
}

function namesOf({ index, binary }: GatherResult): string[] {
  return binary.map((id) => index.nameOf(id));
}

/** Where each section of a file lies. */
function sectionsOf(whole: Buffer): Map<string, readonly [number, number]> {
  const begin = whole.indexOf('\n') + 1;
  const start = Number(whole.toString('latin1', begin, begin + 12));
  const head = z.object({ sections: z.record(z.string(), z.tuple([z.number(), z.number(), z.number()])) });
  const { sections } = head.parse(JSON.parse(whole.toString('utf8', begin + 24, start)));
  return new Map(Object.entries(sections).map(([name, [at, size]]) => [name, [start + at, size]]));
}

/** What reads the sections that are not read at once. */
const readers: Readonly<Record<string, (index: GatherIndex) => unknown>> = {
  pkgids: (index) => index.pkgids.get(0),
  texts: (index) => index.texts.get(0),
  'strings.otherBytes': (index) => index.strings.get(index.strings.count - 1),
  'strings.otherOffsets': (index) => index.strings.get(index.strings.count - 1),
  'dependencies.slots': (index) => index.dependencies.column('slots'),
  ...Object.fromEntries(
    indexColumns.map((column) => [`columns.${column}`, (index: GatherIndex) => index.columns[column].used()]),
  ),
};

function readerOf(section: string): (index: GatherIndex) => unknown {
  return readers[section] ?? readers[section.split('.')[0] ?? ''] ?? (() => undefined);
}

test('damage to any column is noticed when that column is first read, and before then harms no gather', async () => {
  const file = join(folder, 'damaged');
  const whole = await save(file);
  const expected = gather({}, await load(file), ask);
  const sections = sectionsOf(whole);
  for (const column of indexColumns) assert.ok(sections.has(`columns.${column}`), column);
  const later: string[] = [];
  for (const [name, [at, size]] of sections) {
    if (size === 0) continue;
    const damaged = Buffer.from(whole);
    damaged[at + size - 1] = (damaged[at + size - 1] ?? 0) ^ 16;
    writeFileSync(file, damaged);
    const isLater = await load(file).then(
      (index) => {
        const result = gather({}, index, ask);
        assert.deepEqual(namesOf(result), namesOf(expected), name);
        assert.throws(() => readerOf(name)(index), { code: 'gather.index_broken' }, name);
        return true;
      },
      (error: unknown) => {
        assert.equal(error instanceof Error && 'code' in error && error.code, 'gather.index_broken', name);
        return false;
      },
    );
    if (isLater) later.push(name);
  }
  for (const name of ['pkgids.otherBytes', 'texts.otherBytes', 'columns.href', 'strings.otherBytes']) {
    assert.ok(later.includes(name), `${name} is read though no gather needs it`);
  }
});

test('damage to what an index is about is noticed before anything of it is used', async () => {
  const file = join(folder, 'head');
  const whole = await save(file);
  const damaged = Buffer.from(whole);
  damaged.write('S', whole.indexOf('"small"') + 1);
  writeFileSync(file, damaged);
  await assert.rejects(load(file), { code: 'gather.index_broken' });
});

test('what was not read yet is there for whoever looks for it or adds to it', async () => {
  const file = join(folder, 'unread');
  await save(file);
  const unread = 'nobody-wants-this';
  assert.equal((await load(file)).strings.lengthOf((await load(file)).strings.find(unread)), unread.length);
  const found = await load(file);
  assert.equal(found.strings.get(found.strings.find(unread)), unread);
  const last = found.strings.count - 1;
  assert.equal((await load(file)).strings.lengthOf(last), found.strings.lengthOf(last));
  const { columns } = await load(file);
  const { provideOwner, hasRuntimeFile } = columns;
  hasRuntimeFile.set(2, 1);
  assert.deepEqual([...hasRuntimeFile.used()], [0, 0, 1]);
  assert.equal(provideOwner.length, provideOwner.used().length);
});

test('a dependency is one however often it is met, a path and a rich one too', async () => {
  const file = join(folder, 'met');
  await save(file);
  const { dependencies, strings } = await load(file);
  const { count } = dependencies;
  for (let id = 0; id < count; id += 1) {
    const again = dependencies.intern(
      dependencies.nameOf(id),
      dependencies.flagOf(id),
      dependencies.evrOf(id),
    );
    assert.equal(again, id, strings.get(dependencies.nameOf(id)));
  }
  assert.equal(dependencies.count, count);
});

test('a file that was cut short is noticed', async () => {
  const file = join(folder, 'short');
  const whole = await save(file);
  writeFileSync(file, whole.subarray(0, -8));
  const index = await load(file);
  assert.throws(
    () => {
      for (const column of indexColumns) index.columns[column].used();
    },
    { code: 'gather.index_broken' },
  );
  const [from = 0] = sectionsOf(whole).get('strings.bytes') ?? [];
  writeFileSync(file, whole.subarray(0, from + 8));
  await assert.rejects(load(file), { code: 'gather.index_broken' });
});

/** How many descriptors of this process are of the file. */
function openCount(file: string): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(file);
    } catch {
      return false;
    }
  }).length;
}

test('what is read later is read of the file that was loaded, which is closed when all was read', async () => {
  const file = join(folder, 'closed');
  await save(file);
  const index = await load(file);
  assert.equal(openCount(file), 1);
  rmSync(file);
  assert.equal(index.locationOf(0).href, indexOfSmall([{ name: 'a' }]).locationOf(0).href);
  index.dependencies.column('slots');
  await saveIndex(file, index, 'key');
  const again = gather({}, await load(file), ask);
  assert.deepEqual(namesOf(again), ['a', 'b', 'c']);
  again.index.dependencies.column('slots');
  await saveIndex(join(folder, 'other'), again.index, 'key');
  const kept = openCount(file);
  assert.equal(await loadIndex(file, 'another key'), null);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(openCount(file), 0, `${kept} were open`);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { PackStore } from '../../src/cache/pack-store.ts';

const limit = 1e9;
const root = mkdtempSync(join(tmpdir(), 'pack-store-'));
after(() => rmSync(root, { recursive: true }));
let directory = '';
let count = 0;
beforeEach(() => {
  count += 1;
  directory = join(root, String(count));
});

function text(store: PackStore, key: string): string[] | undefined {
  const entry = store.entry(key);
  return entry && store.read(key, 0, entry.parts.length).map((part) => Buffer.from(part).toString());
}

function put(store: PackStore, key: string, ...parts: string[]): void {
  store.put(
    key,
    `meta-of-${key}`,
    parts.map((part) => Buffer.from(part)),
  );
}

function onlyFile(ending: string): string {
  const [file] = readdirSync(directory).filter((name) => name.endsWith(ending));
  return join(directory, file ?? '');
}

describe('PackStore', () => {
  test('answers what was put, at once and after it was opened again', async () => {
    const store = await PackStore.open(directory, { limit });
    put(store, 'a', 'one', '', 'three');
    put(store, 'b', 'x'.repeat(3_000_000));
    put(store, 'a', 'newer');
    assert.deepEqual(text(store, 'a'), ['newer']);
    assert.equal(text(store, 'b')?.[0]?.length, 3_000_000);
    assert.equal(text(store, 'c'), undefined);
    store.close();
    const again = await PackStore.open(directory, { limit });
    assert.deepEqual(text(again, 'a'), ['newer']);
    assert.equal(again.entry('a')?.meta, 'meta-of-a');
    assert.equal(again.size, 2);
    again.close();
  });

  test('serves several processes: each sees what the others handed over', async () => {
    const store = await PackStore.open(directory, { limit });
    const other = await PackStore.open(directory, { limit });
    put(store, 'a', 'from one');
    put(other, 'b', 'from the other');
    assert.equal(text(other, 'a'), undefined);
    store.flush();
    other.flush();
    await store.refresh();
    await other.refresh();
    assert.deepEqual(text(other, 'a'), ['from one']);
    assert.deepEqual(text(store, 'b'), ['from the other']);
    put(store, 'c', 'later');
    store.flush();
    await other.refresh();
    assert.deepEqual(text(other, 'c'), ['later']);
    store.close();
    other.close();
  });

  test('a process killed while it writes loses at most what it had not handed over', async () => {
    const program = `
      import { PackStore } from ${JSON.stringify(import.meta.resolve('../../src/cache/pack-store.ts'))};
      const store = await PackStore.open(process.argv[1], { limit: 1e9 });
      for (let i = 0; ; i += 1) {
        store.put('key' + i, 'm', [Buffer.alloc(1000 + (i % 7), i % 251)]);
        if (i === 20_000) process.stdout.write('go');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await PackStore.open(directory, { limit });
    assert.ok(store.size > 18_000, `${store.size} entries`);
    for (let i = 0; i < store.size; i += 1) {
      const [value] = store.read(`key${i}`, 0, 1);
      assert.equal(value?.byteLength, 1000 + (i % 7));
      assert.ok(value?.every((byte) => byte === i % 251));
    }
    store.close();
  });

  test('a torn, damaged or foreign index line is no entry', async () => {
    const store = await PackStore.open(directory, { limit });
    put(store, 'good', 'value');
    put(store, 'bad', 'value');
    store.close();
    const index = onlyFile('.index');
    writeFileSync(index, readFileSync(index, 'latin1').replace(/^bad (\d+) 5/m, 'bad $1 3'));
    appendFileSync(index, 'torn 10 5:1');
    writeFileSync(join(directory, 'stranger.index'), 'x y z\n\n\u0000\u0000\n');
    const again = await PackStore.open(directory, { limit });
    assert.deepEqual(text(again, 'good'), ['value']);
    for (const key of ['bad', 'torn', 'x']) assert.equal(again.entry(key), undefined);
    again.close();
  });

  test('a damaged value is a typed error once and missing from then on, for everybody', async () => {
    const store = await PackStore.open(directory, { limit });
    put(store, 'a', 'value');
    put(store, 'b', 'other');
    store.close();
    writeFileSync(onlyFile('.pack'), 'vaLueother');
    const again = await PackStore.open(directory, { limit });
    assert.throws(() => text(again, 'a'), { code: 'cache.entry_broken', fate: 'retry' });
    assert.equal(text(again, 'a'), undefined);
    assert.deepEqual(text(again, 'b'), ['other']);
    again.close();
  });

  test('a pack that another process has dropped is a missing entry or a typed error, never a wrong value', async () => {
    const store = await PackStore.open(directory, { limit });
    put(store, 'a', 'value');
    store.close();
    const again = await PackStore.open(directory, { limit });
    rmSync(onlyFile('.pack'));
    assert.equal(again.entry('a'), undefined);
    assert.throws(() => again.read('a', 0, 1), { code: 'cache.entry_broken' });
    again.close();
  });

  test('many small idle packs are merged on opening and nothing is lost', async () => {
    const old = new Date('2026-01-01T00:00:00Z');
    for (let i = 0; i < 70; i += 1) {
      const store = await PackStore.open(directory, { limit });
      put(store, `key${i}`, `value${i}`);
      store.close();
    }
    for (const name of readdirSync(directory)) utimesSync(join(directory, name), old, old);
    const store = await PackStore.open(directory, { limit, now: new Date('2026-01-02T00:00:00Z') });
    assert.equal(readdirSync(directory).length, 2);
    for (let i = 0; i < 70; i += 1) assert.deepEqual(text(store, `key${i}`), [`value${i}`]);
    store.close();
  });

  test('beyond the limit the oldest packs go', async () => {
    for (let i = 0; i < 4; i += 1) {
      const store = await PackStore.open(directory, { limit });
      put(store, `key${i}`, 'v'.repeat(1000));
      store.close();
      for (const name of readdirSync(directory).filter((file) => file.endsWith('.pack'))) {
        if (store.size === 0) utimesSync(join(directory, name), i + 1, i + 1);
      }
    }
    const store = await PackStore.open(directory, { limit: 2500 });
    assert.equal(store.size, 2);
    store.close();
  });

  test('a damaged value that was put anew stays the new one, in whatever order packs are read', async () => {
    for (let round = 0; round < 12; round += 1) {
      directory = join(root, `order-${round}`);
      const first = await PackStore.open(directory, { limit });
      put(first, 'a', 'value');
      put(first, 'b', 'other');
      first.close();
      writeFileSync(onlyFile('.pack'), 'vaLueother');
      const second = await PackStore.open(directory, { limit });
      assert.throws(() => text(second, 'a'), { code: 'cache.entry_broken' });
      assert.throws(() => second.read('a', 0, 1), { code: 'cache.entry_broken' });
      second.close();
      const third = await PackStore.open(directory, { limit });
      assert.equal(text(third, 'a'), undefined);
      put(third, 'a', 'value');
      third.close();
      const fourth = await PackStore.open(directory, { limit });
      assert.deepEqual(text(fourth, 'a'), ['value']);
      assert.deepEqual(text(fourth, 'b'), ['other']);
      fourth.close();
    }
  });

  test('a damaged value does not come back when the pack that says so is merged', async () => {
    const old = new Date('2026-01-01T00:00:00Z');
    const big = await PackStore.open(directory, { limit });
    put(big, 'damaged', 'value'.repeat(4_000_000));
    big.close();
    const pack = onlyFile('.pack');
    const bytes = readFileSync(pack);
    bytes.write('V', 10);
    writeFileSync(pack, bytes);
    const finder = await PackStore.open(directory, { limit });
    assert.throws(() => text(finder, 'damaged'), { code: 'cache.entry_broken' });
    finder.close();
    for (let i = 0; i < 70; i += 1) {
      const store = await PackStore.open(directory, { limit });
      put(store, `key${i}`, 'small');
      store.close();
    }
    for (const name of readdirSync(directory)) utimesSync(join(directory, name), old, old);
    const merging = await PackStore.open(directory, { limit, now: new Date('2026-01-02T00:00:00Z') });
    merging.close();
    assert.ok(readdirSync(directory).length < 10);
    const again = await PackStore.open(directory, { limit });
    assert.equal(again.entry('damaged'), undefined);
    again.close();
  });

  test('the limit holds while values are put, not only when the store is opened', async () => {
    const store = await PackStore.open(directory, { limit: 1_000_000 });
    const most = (): number =>
      readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    for (let i = 0; i < 600; i += 1) {
      put(store, `key${i}`, 'v'.repeat(10_000));
      if (i % 20 !== 0) continue;
      store.flush();
      assert.ok(most() < 1_200_000, `${most()} bytes after ${i} values`);
    }
    assert.equal(store.entry('key0'), undefined);
    assert.equal(text(store, 'key599')?.[0]?.length, 10_000);
    store.close();
  });

  test('where another process has dropped a pack, all that was in it is gone at once', async () => {
    const store = await PackStore.open(directory, { limit });
    for (let i = 0; i < 10; i += 1) put(store, `key${i}`, 'value');
    store.close();
    const again = await PackStore.open(directory, { limit });
    rmSync(onlyFile('.pack'));
    assert.equal(again.entry('key3'), undefined);
    assert.equal(again.size, 0);
    again.close();
  });
});

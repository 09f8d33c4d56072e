import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { PackStore } from '../../../src/rpm/cache/pack-store.ts';

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
  test('answers what was put, at once and after it was opened again', () => {
    const store = new PackStore(directory);
    put(store, 'a', 'one', '', 'three');
    put(store, 'b', 'x'.repeat(3_000_000));
    put(store, 'a', 'newer');
    assert.deepEqual(text(store, 'a'), ['newer']);
    assert.equal(text(store, 'b')?.[0]?.length, 3_000_000);
    assert.equal(text(store, 'c'), undefined);
    store.close();
    const again = new PackStore(directory);
    assert.deepEqual(text(again, 'a'), ['newer']);
    assert.equal(again.entry('a')?.meta, 'meta-of-a');
    assert.equal(again.size, 2);
    again.close();
  });

  test('serves several processes: each sees what the others handed over', () => {
    const one = new PackStore(directory);
    const other = new PackStore(directory);
    put(one, 'a', 'from one');
    put(other, 'b', 'from the other');
    assert.equal(text(other, 'a'), undefined);
    one.flush();
    other.flush();
    one.refresh();
    other.refresh();
    assert.deepEqual(text(other, 'a'), ['from one']);
    assert.deepEqual(text(one, 'b'), ['from the other']);
    put(one, 'c', 'later');
    one.flush();
    other.refresh();
    assert.deepEqual(text(other, 'c'), ['later']);
    one.close();
    other.close();
  });

  test('a process killed while it writes loses at most what it had not handed over', async () => {
    const program = `
      import { PackStore } from ${JSON.stringify(import.meta.resolve('../../../src/rpm/cache/pack-store.ts'))};
      const store = new PackStore(process.argv[1]);
      for (let i = 0; ; i += 1) {
        store.put('key' + i, 'm', [Buffer.alloc(1000 + (i % 7), i % 251)]);
        if (i === 20_000) process.stdout.write('go');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = new PackStore(directory);
    assert.ok(store.size > 18_000, `${store.size} entries`);
    for (let i = 0; i < store.size; i += 1) {
      const [value] = store.read(`key${i}`, 0, 1);
      assert.equal(value?.byteLength, 1000 + (i % 7));
      assert.ok(value?.every((byte) => byte === i % 251));
    }
    store.close();
  });

  test('a torn, damaged or foreign index line is no entry', () => {
    const store = new PackStore(directory);
    put(store, 'good', 'value');
    put(store, 'bad', 'value');
    store.close();
    const index = onlyFile('.index');
    writeFileSync(index, readFileSync(index, 'latin1').replace('bad 5', 'bad 3'));
    appendFileSync(index, 'torn 10 5:1');
    writeFileSync(join(directory, 'stranger.index'), 'x y z\n\n\u0000\u0000\n');
    const again = new PackStore(directory);
    assert.deepEqual(text(again, 'good'), ['value']);
    for (const key of ['bad', 'torn', 'x']) assert.equal(again.entry(key), undefined);
    again.close();
  });

  test('a damaged value is a typed error once and missing from then on, for everybody', () => {
    const store = new PackStore(directory);
    put(store, 'a', 'value');
    put(store, 'b', 'other');
    store.close();
    writeFileSync(onlyFile('.pack'), 'vaLueother');
    const again = new PackStore(directory);
    assert.throws(() => text(again, 'a'), { code: 'cache.entry_broken', fate: 'retry' });
    assert.equal(text(again, 'a'), undefined);
    assert.deepEqual(text(again, 'b'), ['other']);
    again.close();
  });

  test('a pack that another process has dropped is a missing entry or a typed error, never a wrong value', () => {
    const store = new PackStore(directory);
    put(store, 'a', 'value');
    store.close();
    const again = new PackStore(directory);
    rmSync(onlyFile('.pack'));
    assert.equal(again.entry('a'), undefined);
    assert.throws(() => again.read('a', 0, 1), { code: 'cache.entry_broken' });
    again.close();
  });

  test('many small idle packs are merged on opening and nothing is lost', () => {
    const old = new Date('2026-01-01T00:00:00Z');
    for (let i = 0; i < 70; i += 1) {
      const store = new PackStore(directory);
      put(store, `key${i}`, `value${i}`);
      store.close();
    }
    for (const name of readdirSync(directory)) utimesSync(join(directory, name), old, old);
    const store = new PackStore(directory, { now: new Date('2026-01-02T00:00:00Z') });
    assert.equal(readdirSync(directory).length, 2);
    for (let i = 0; i < 70; i += 1) assert.deepEqual(text(store, `key${i}`), [`value${i}`]);
    store.close();
  });

  test('beyond the limit the oldest packs go', () => {
    for (let i = 0; i < 4; i += 1) {
      const store = new PackStore(directory);
      put(store, `key${i}`, 'v'.repeat(1000));
      store.close();
      for (const name of readdirSync(directory).filter((file) => file.endsWith('.pack'))) {
        if (store.size === 0) utimesSync(join(directory, name), i + 1, i + 1);
      }
    }
    const store = new PackStore(directory, { limit: 2500 });
    assert.equal(store.size, 2);
    store.close();
  });
});

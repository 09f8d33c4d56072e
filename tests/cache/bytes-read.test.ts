import assert from 'node:assert/strict';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { cachePlace } from '../../src/cache/cache-place.ts';
import { FACTS_MAKING } from '../../src/cache/copy-facts.ts';
import { FRAGMENTS_MAKING } from '../../src/cache/fragment-cache.ts';
import { PackStore } from '../../src/cache/pack-store.ts';
import { openSources } from '../../src/composer/open-sources.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { KojiIndex } from '../../src/composer/koji/koji-index.ts';

const MB = 1024 * 1024;
const root = mkdtempSync(join(tmpdir(), 'bytes-read-'));
after(() => rmSync(root, { recursive: true }));

const profile = join(root, 'koji.conf');
writeFileSync(profile, `[koji]\nserver = http://127.0.0.1:9/kojihub\ntopdir = ${root}\n`);

/** Bytes that this process has read from files so far. */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

/** Makes a file of a size that takes no space. */
function makeHollow(path: string, bytes: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const descriptor = openSync(path, 'w');
  ftruncateSync(descriptor, bytes);
  closeSync(descriptor);
}

test('opening what composes are made of reads no cache, however large they are', async (context) => {
  const dataDir = join(root, 'data');
  const index = join(dataDir, 'cache', 'koji');
  makeHollow(join(cachePlace(index, FRAGMENTS_MAKING), 'a.pack'), 512 * MB);
  makeHollow(join(cachePlace(index, FRAGMENTS_MAKING), 'a.index'), 512 * MB);
  makeHollow(cachePlace(index, FACTS_MAKING), 512 * MB);
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: { data_dir: dataDir, koji_profile: 'koji', koji_config: profile },
  });
  const before = bytesRead();
  const opened = await openSources(config, {
    clock: { now: () => new Date() },
    log: createLog('silent'),
    database: null,
  });
  context.after(() => opened[Symbol.dispose]());
  assert.ok(opened.sources.tag, 'Koji is offered');
  assert.ok(bytesRead() - before < MB, `${bytesRead() - before} bytes were read`);
});

test('the first who needs the index of Koji reads a bounded part of it, and what is beyond the limits goes unread', async () => {
  const directory = join(root, 'koji');
  const packages = cachePlace(directory, FRAGMENTS_MAKING);
  for (const pack of ['a', 'b', 'c']) {
    makeHollow(join(packages, `${pack}.pack`), MB);
    makeHollow(join(packages, `${pack}.index`), 100 * MB);
  }
  makeHollow(cachePlace(directory, FACTS_MAKING), 1024 * MB);
  const index = new KojiIndex(directory, new Date());
  const before = bytesRead();
  await index.open();
  index.close();
  assert.ok(bytesRead() - before < 300 * MB, `${bytesRead() - before} bytes were read`);
  assert.deepEqual(readdirSync(packages).filter((name) => name.endsWith('.index')).length, 1);
});

test('a store of many small values reads no more of them than its limit when it is opened', async () => {
  const directory = join(root, 'small');
  const indexLimit = 200_000;
  const options = { limit: 1e9, indexLimit };
  const store = await PackStore.open(directory, options);
  for (let number = 0; number < 20_000; number += 1) store.put(`key${number}`, 'm', [Buffer.from('small')]);
  const written = readdirSync(directory)
    .filter((name) => name.endsWith('.index'))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  assert.ok(written <= indexLimit, `${written} bytes of indexes`);
  store.close();
  const before = bytesRead();
  const again = await PackStore.open(directory, options);
  assert.ok(bytesRead() - before < indexLimit + 10_000, `${bytesRead() - before} bytes were read`);
  assert.ok(again.size > 2_000, `${again.size} entries`);
  assert.deepEqual(again.read('key19999', 0, 1), [Buffer.from('small')]);
  again.close();
});

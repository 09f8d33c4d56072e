import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cachePlace } from '../../src/cache/cache-place.ts';
import { CopyFactsFile, FACTS_MAKING, type CopyFacts } from '../../src/cache/copy-facts.ts';

const root = mkdtempSync(join(tmpdir(), 'copy-facts-'));
after(() => rmSync(root, { recursive: true }));

function factsOf(size: number): CopyFacts {
  return {
    pkgid: size.toString(16).padStart(64, '0'),
    size,
    sigkey: size % 2 === 0 ? null : 'fd431d51',
    excludeArch: ['s390x'],
    exclusiveArch: [],
    stamp: { modified: 1_700_000_000_000 + size, inode: size },
  };
}

function lineCount(directory: string): number {
  return readFileSync(cachePlace(directory, FACTS_MAKING), 'utf8').split('\n').length;
}

/** Adds the copies of some numbers, some at a time, and lets what goes on beside have its turn. */
async function addAll(file: CopyFactsFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 50) {
    const some = Array.from({ length: Math.min(50, to - at) }, (_, index) => at + index);
    file.add(some.map((number) => [`key${number}`, factsOf(number)]));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('facts are the same after the file was opened again, but for those that were forgotten', async () => {
  const directory = join(root, 'again');
  const file = await CopyFactsFile.open(directory);
  await addAll(file, 0, 120);
  file.forget(['key7', 'key8']);
  file.add([['key8', factsOf(88)]]);
  appendFileSync(cachePlace(directory, FACTS_MAKING), 'torn\tby a cra');
  const again = await CopyFactsFile.open(directory);
  assert.equal(again.size, 119);
  assert.equal(again.get('key7'), undefined);
  assert.deepEqual(again.get('key8'), factsOf(88));
  assert.deepEqual(again.get('key119'), factsOf(119));
});

test('the copies that were asked for longest ago go, and the file does not grow with every copy ever read', async () => {
  const directory = join(root, 'bounded');
  const most = 3_000;
  const file = await CopyFactsFile.open(directory, most);
  for (let from = 0; from < 30_000; from += 500) {
    await addAll(file, from, from + 500);
    assert.ok(file.get('key1'), `key1 is known after ${from} copies`);
  }
  assert.equal(file.size, most);
  assert.equal(file.get('key2'), undefined);
  // What is written anew in the background is done at the latest when the janitor comes.
  await file.prune(new Date());
  assert.ok(lineCount(directory) < 3 * most, `${lineCount(directory)} lines`);
  const again = await CopyFactsFile.open(directory, most);
  assert.equal(again.size, most);
  assert.deepEqual(again.get('key1'), factsOf(1));
  assert.deepEqual(again.get('key29999'), factsOf(29_999));
  assert.deepEqual(readdirSync(directory).length, 1);
});

test('a copy that was asked for lately outlives one that was added later', async () => {
  const directory = join(root, 'order');
  const file = await CopyFactsFile.open(directory, 3);
  for (const number of [1, 2, 3]) file.add([[`key${number}`, factsOf(number)]]);
  file.get('key1');
  file.add([['key4', factsOf(4)]]);
  const pruning = file.prune(new Date());
  file.get('key1');
  for (const number of [5, 6]) file.add([[`key${number}`, factsOf(number)]]);
  // Comes while the file is written: it waits, and then writes what has become of it.
  await Promise.all([pruning, file.prune(new Date())]);
  const again = await CopyFactsFile.open(directory, 3);
  const known = [1, 2, 3, 4, 5, 6].filter((number) => again.get(`key${number}`) !== undefined);
  assert.deepEqual(known, [1, 5, 6]);
});

test('what is added or forgotten while the file is written anew is in the new one', async () => {
  const directory = join(root, 'meanwhile');
  const file = await CopyFactsFile.open(directory);
  for (let round = 0; round < 4; round += 1) await addAll(file, 0, 5_000);
  const pruned = file.prune(new Date());
  file.add([['late', factsOf(1)]]);
  file.forget(['key3']);
  assert.ok((await pruned) > 0);
  const again = await CopyFactsFile.open(directory);
  assert.deepEqual(again.get('late'), factsOf(1));
  assert.equal(again.get('key3'), undefined);
  assert.equal(again.size, 5_000);
});

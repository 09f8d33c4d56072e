// Runs once: nothing here has a database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LentMemory } from '../../../src/rpm/repodata/lent-memory.ts';

test('memory that was given back is lent again, also for less', () => {
  const memory = new LentMemory();
  const first = memory.lend(200_000);
  assert.equal(first.byteLength, 200_000);
  memory.giveBack(first);
  const second = memory.lend(150_000);
  assert.equal(second.byteLength, 150_000);
  assert.equal(second.buffer, first.buffer);
});

test('two that lend at once have memory of their own', () => {
  const memory = new LentMemory();
  const first = memory.lend(10).fill(1);
  const second = memory.lend(10).fill(2);
  assert.notEqual(first.buffer, second.buffer);
  assert.deepEqual([...first], Array<number>(10).fill(1));
});

test('what was given back is too small for more', () => {
  const memory = new LentMemory();
  const small = memory.lend(1000);
  memory.giveBack(small);
  const large = memory.lend(1_000_000);
  assert.equal(large.byteLength, 1_000_000);
  assert.notEqual(large.buffer, small.buffer);
});

test('of a crowd that gives back only some memory is kept', () => {
  const memory = new LentMemory();
  const crowd = Array.from({ length: 6 }, () => memory.lend(8 * 1024 * 1024));
  for (const lent of crowd) memory.giveBack(lent);
  const again = Array.from({ length: 6 }, () => memory.lend(8 * 1024 * 1024));
  const known = new Set(crowd.map(({ buffer }) => buffer));
  assert.equal(again.filter(({ buffer }) => known.has(buffer)).length, 4);
});

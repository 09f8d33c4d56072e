import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { inTurns, type Turns } from '../src/in-turns.ts';

/** Longer than a turn: each piece is followed by a rest. */
const PIECE_MS = 25;

function* pieces(name: string, log: string[]): Turns<string> {
  for (let piece = 0; piece < 3; piece += 1) {
    const until = performance.now() + PIECE_MS;
    while (performance.now() < until);
    log.push(name);
    yield;
  }
  return name;
}

test('of works that are long at the same time one piece is done in a turn of the event loop', async () => {
  const log: string[] = [];
  const over = new AbortController();
  const turns = async (): Promise<void> => {
    while (!over.signal.aborted) {
      log.push('|');
      await setImmediate();
    }
  };
  const turning = turns();
  const names = ['a', 'b', 'c'];
  const works = names.map((name) => inTurns(pieces(name, log)));
  assert.deepEqual(await Promise.all(works), names);
  over.abort();
  await turning;
  const done = log.join('').split(/\|+/).filter(Boolean);
  assert.deepEqual(
    done.filter((turn) => turn.length > 1),
    [],
    log.join(''),
  );
  assert.equal(done.length, 9);
});

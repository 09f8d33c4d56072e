// Runs once: nothing here has a database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../fuzz/random.ts';
import { spreadFaults } from './spread-faults.ts';

const schedule = { seconds: 40, faults: { killed: 3, cut: 1 } };

test('every fault comes as often as it was planned, each in its own part of the time', () => {
  const planned = spreadFaults(['killed', 'cut'], { random: new Random(7), ...schedule });
  assert.deepEqual(planned.map(({ name }) => name).toSorted(), ['cut', 'killed', 'killed', 'killed']);
  planned.forEach(({ at }, index) => assert.equal(Math.floor(at / 10_000), index));
});

test('the same seed spreads them in the same way, another one otherwise', () => {
  const spread = (seed: number) => spreadFaults(['killed', 'cut'], { random: new Random(seed), ...schedule });
  assert.deepEqual(spread(7), spread(7));
  assert.notDeepEqual(spread(7), spread(8));
});

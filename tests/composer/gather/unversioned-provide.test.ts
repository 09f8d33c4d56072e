import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gather } from '../../../src/composer/gather/gather.ts';
import { indexOfSmall } from './small-universe.ts';

function unresolvedOf(provides: string, requires: string): string[] {
  const index = indexOfSmall([
    { name: 'give', provides: [provides] },
    { name: 'need', requires: [requires] },
  ]);
  return gather({}, index, { arch: 'x86_64', packages: ['need'] }).unresolved.map(
    (unresolved) => unresolved.dependency,
  );
}

test('a provide without version satisfies every requirement with one', () => {
  for (const requires of [
    'cap >= 2',
    'cap < 1',
    'cap = 1:2-3',
    '(cap >= 2 and give)',
    '(cap > 2 with give)',
  ]) {
    assert.deepEqual(unresolvedOf('cap', requires), [], requires);
  }
});

test('a provide with a version satisfies only what it fits', () => {
  assert.deepEqual(unresolvedOf('cap = 2', 'cap >= 2'), []);
  assert.deepEqual(unresolvedOf('cap = 1', 'cap >= 2'), ['cap >= 2']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addRecords } from '../../../src/composer/gather/add-records.ts';
import { GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import type { GatherOptions } from '../../../src/composer/gather/gather-run.ts';
import { gather } from '../../../src/composer/gather/gather.ts';
import { locatedOf, type SmallPackage } from './small-universe.ts';

/** What is shipped of a repository beside a lookaside one, as `name.arch`. */
function shippedOf(
  { main, lookaside = [] }: { main: readonly SmallPackage[]; lookaside?: readonly SmallPackage[] },
  options: Pick<GatherOptions, 'packages' | 'greedy'>,
): string[] {
  const index = new GatherIndex();
  for (const [packages, isLookaside] of [
    [lookaside, true],
    [main, false],
  ] as const) {
    addRecords(index, index.addRepository({ name: 'small', isLookaside }), packages.map(locatedOf));
  }
  const result = gather({}, index, { arch: 'x86_64', ...options });
  return result.binary.map((id) => `${index.nameOf(id)}.${index.archOf(id)}`).sort();
}

test('greedy build takes the siblings of what a requirement chose, not of what the input names', () => {
  const main = [
    { name: 'tool', source: 'tool' },
    { name: 'tool', arch: 'noarch', source: 'tool' },
    { name: 'wants', requires: ['tool'] },
  ];
  assert.deepEqual(shippedOf({ main }, { packages: ['tool'], greedy: 'build' }), ['tool.x86_64']);
  assert.deepEqual(shippedOf({ main }, { packages: ['wants'], greedy: 'build' }), [
    'tool.noarch',
    'tool.x86_64',
    'wants.x86_64',
  ]);
  assert.deepEqual(shippedOf({ main }, { packages: ['wants'], greedy: 'none' }), [
    'tool.x86_64',
    'wants.x86_64',
  ]);
});

test('a name and EVR that a lookaside repository has is not shipped, whatever its arch there', () => {
  const main = [{ name: 'tool' }, { name: 'wants', requires: ['tool'] }];
  const lookaside = [{ name: 'tool', arch: 'noarch' }];
  assert.deepEqual(shippedOf({ main, lookaside }, { packages: ['wants'], greedy: 'none' }), ['wants.x86_64']);
  const older = [{ name: 'tool', arch: 'noarch', version: '0' }];
  assert.deepEqual(shippedOf({ main, lookaside: older }, { packages: ['wants'], greedy: 'none' }), [
    'tool.x86_64',
    'wants.x86_64',
  ]);
});

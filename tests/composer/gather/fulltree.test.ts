import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addRecords } from '../../../src/composer/gather/add-records.ts';
import { gather } from '../../../src/composer/gather/gather.ts';
import { GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import type { GatherOptions } from '../../../src/composer/gather/gather-run.ts';
import { locatedOf, type SmallPackage } from './small-universe.ts';

interface Universe {
  readonly main: readonly SmallPackage[];
  readonly lookaside?: readonly SmallPackage[];
}

/** `name.arch` of every binary package that a gather with fulltree ships. */
function fulltreeOf(universe: Universe, packages: string[], more: Partial<GatherOptions> = {}): string[] {
  const index = new GatherIndex();
  const add = (name: string, isLookaside: boolean, list: readonly SmallPackage[]): void => {
    addRecords(index, index.addRepository({ name, isLookaside }), list.map(locatedOf));
  };
  add('aside', true, universe.lookaside ?? []);
  add('main', false, universe.main);
  const result = gather({}, index, { arch: 'x86_64', packages, fulltree: true, ...more });
  return result.binary.map((id) => `${index.nameOf(id)}.${index.archOf(id)}`);
}

const both = ['x86_64', 'i686'];
const build = (names: readonly string[], arches: readonly string[]): SmallPackage[] =>
  names.flatMap((name) => arches.map((arch) => ({ name, arch, source: 'build' })));

test('a build is completed by native packages where a native one of it is in', () => {
  const main = [...build(['a', 'b'], both), { name: 'doc', arch: 'noarch', source: 'build' }];
  assert.deepEqual(fulltreeOf({ main }, ['a']), ['a.x86_64', 'b.x86_64', 'doc.noarch']);
});

test('a build is completed by multilib packages where only such a one of it is in', () => {
  const main = [...build(['a', 'b'], both), { name: 'doc', arch: 'noarch', source: 'build' }];
  assert.deepEqual(fulltreeOf({ main }, ['a.+']), ['a.i686', 'b.i686', 'doc.noarch']);
});

test('a build that has no native package is completed by its multilib ones, whoever is in', () => {
  const main = [...build(['a', 'b'], ['i686']), { name: 'doc', arch: 'noarch', source: 'build' }];
  assert.deepEqual(fulltreeOf({ main }, ['doc']), ['a.i686', 'b.i686', 'doc.noarch']);
});

test('a build with only a noarch package in is completed by its native ones', () => {
  const main = [...build(['a', 'b'], both), { name: 'doc', arch: 'noarch', source: 'build' }];
  assert.deepEqual(fulltreeOf({ main }, ['doc']), ['a.x86_64', 'b.x86_64', 'doc.noarch']);
});

test('greedy all completes a build by both', () => {
  const main = build(['a', 'b'], both);
  assert.deepEqual(fulltreeOf({ main }, ['a'], { greedy: 'all' }), [
    'a.i686',
    'a.x86_64',
    'b.i686',
    'b.x86_64',
  ]);
});

test('a native package that a requirement brings in later completes its build by native ones, too', () => {
  const main = [
    { name: 'a', arch: 'i686', source: 'build' },
    { name: 'b', arch: 'i686', source: 'build', requires: ['c'] },
    { name: 'c', arch: 'x86_64', source: 'build' },
    { name: 'd', arch: 'x86_64', source: 'build' },
  ];
  assert.deepEqual(fulltreeOf({ main }, ['a']), ['a.i686', 'b.i686', 'c.x86_64', 'd.x86_64']);
});

test('a package that a lookaside repository has too, by name and EVR, completes no build', () => {
  const main = build(['a', 'b', 'c'], ['x86_64']);
  const lookaside = [
    { name: 'b', source: 'build' },
    { name: 'c', version: '0', source: 'build' },
  ];
  assert.deepEqual(fulltreeOf({ main, lookaside }, ['a']), ['a.x86_64', 'c.x86_64']);
});

test('a source package that is left out by name is not completed', () => {
  const main = build(['a', 'b'], ['x86_64']);
  assert.deepEqual(fulltreeOf({ main }, ['a'], { fulltreeExcludes: ['build'] }), ['a.x86_64']);
});

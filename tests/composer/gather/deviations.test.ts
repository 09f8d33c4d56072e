import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { gather } from '../../../src/composer/gather/gather.ts';
import { sharedPath } from '../../shared.ts';
import { supersets } from './recorded-supersets.ts';
import { indexOfSmall } from './small-universe.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/gather.md'), 'utf8');

interface Answer {
  readonly names: readonly string[];
  readonly unresolved: readonly string[];
  readonly missing: readonly string[];
}

/** What a gather of `packages` answers where `need` requires something, and these others are there. */
function answerOf(
  requires: string,
  others: readonly string[],
  packages: readonly string[] = ['need'],
): Answer {
  const index = indexOfSmall([{ name: 'need', requires: [requires] }, ...others.map((name) => ({ name }))]);
  const { binary, unresolved, missing } = gather({}, index, { arch: 'x86_64', packages });
  return {
    names: binary.map((id) => index.nameOf(id)),
    unresolved: unresolved.map(({ dependency }) => dependency),
    missing,
  };
}

/** By the first cell of a row of docs/gather.md. */
const cases: Readonly<Record<string, () => void>> = {
  '`(A and B)`'() {
    assert.deepEqual(answerOf('(a and b)', ['a', 'b']).names, ['a', 'b', 'need']);
  },
  '`(A and B)`, B missing'() {
    const { names, unresolved } = answerOf('(a and b)', ['a']);
    assert.deepEqual([names, unresolved], [['a', 'need'], ['(a and b)']]);
  },
  '`(A if C else D)`'() {
    assert.deepEqual(answerOf('(a if c else d)', ['a', 'c', 'd']).names, ['a', 'd', 'need']);
  },
  '`((A and B) if C)`'() {
    assert.deepEqual(answerOf('((a and b) if c)', ['a', 'b', 'c']).names, ['a', 'b', 'need']);
  },
  '`(A or (B and C))`'() {
    assert.deepEqual(answerOf('(a or (b and c))', ['a', 'b', 'c']).names, ['a', 'need']);
    // The shortest name is the best one.
    assert.deepEqual(answerOf('(long or (b and c))', ['long', 'b', 'c']).names, ['b', 'c', 'need']);
  },
  '`(A if C)`, A missing'() {
    assert.deepEqual(answerOf('(a if c)', ['c']).unresolved, []);
    assert.deepEqual(answerOf('(a if c)', ['c'], ['need', 'c']).unresolved, ['(a if c)']);
  },
  'a rich dependency that cannot be read, or is nested more than 128 levels deep'() {
    const deep = `${'('.repeat(129)}a${')'.repeat(129)}`;
    for (const rich of ['(a and', deep]) assert.deepEqual(answerOf(rich, ['a']).unresolved, [rich]);
    const shallow = `${'('.repeat(128)}a${')'.repeat(128)}`;
    assert.deepEqual(answerOf(shallow, ['a']).unresolved, []);
  },
  'a requested glob that matched'() {
    const { names, missing } = answerOf('a', ['a', 'perl-b', 'perl-c'], ['perl-*', 'ruby-*']);
    assert.deepEqual([names, missing], [['perl-b', 'perl-c'], ['ruby-*']]);
  },
  'an input pattern that looks like a debuginfo name and matches nothing'() {
    assert.deepEqual(answerOf('a', ['a'], ['a', 'a-debuginfo']).missing, ['a-debuginfo']);
  },
};

/** The first cells of the rows of a section's table. */
function rowsOf(heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.split(' | ')[0]?.slice(2) ?? '');
}

test('each difference that docs/gather.md names has a case, and each case is named there', () => {
  const rows = [...rowsOf('Where it gives more'), ...rowsOf('Where it reports otherwise')];
  assert.deepEqual(rows.toSorted(), Object.keys(cases).toSorted());
});

for (const [name, check] of Object.entries(cases)) test(`other than the reference composer: ${name}`, check);

test('the recorded questions that are answered otherwise are those that docs/gather.md names', () => {
  const recorded = z
    .array(z.object({ name: z.string() }))
    .parse(JSON.parse(readFileSync(sharedPath('pungi', 'gather-vectors.json'), 'utf8')));
  const known = new Set(recorded.map(({ name }) => name));
  const named = new Set(Array.from(page.matchAll(/`((?:edge|test)_\w+)`/g), ([, name = '']) => name));
  for (const name of named) assert.ok(known.has(name), `${name} was recorded`);
  assert.deepEqual([...named].toSorted(), Object.keys(supersets).toSorted());
});

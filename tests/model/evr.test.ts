import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareEvr, compareVersions, formatEvr, parseEvr } from '../../src/model/evr.ts';

/** Ascending groups: everything in one line is equal, every line is older than the next. */
const ladder = [
  ['1.0~~'],
  ['1.0~rc1'],
  ['1.0~rc1^git1'],
  ['1.0~rc2', '1.0~rc02'],
  ['1.0', '1_0', '1.00'],
  ['1.0^', '1.0.^'],
  ['1.0^git1~pre'],
  ['1.0^git1'],
  ['1.0a'],
  ['1.0b'],
  ['1.0.1'],
  ['1.1'],
  ['2'],
  ['10'],
  ['18446744073709551617'],
];

test('versions are ordered as rpm orders them', () => {
  const flat = ladder.flatMap((group, rank) => group.map((version) => ({ version, rank })));
  for (const left of flat) {
    for (const right of flat) {
      const expected = Math.sign(left.rank - right.rank);
      assert.equal(
        Math.sign(compareVersions(left.version, right.version)),
        expected,
        `${left.version} ${right.version}`,
      );
    }
  }
});

test('the epoch decides before the version', () => {
  assert.ok(compareEvr(parseEvr('1:1.0-1'), parseEvr('9.0-1')) > 0);
  assert.ok(compareEvr(parseEvr('10:1-1'), parseEvr('9:1-1')) > 0);
  assert.equal(compareEvr(parseEvr('0:1-1'), parseEvr('1-1')), 0);
});

test('an EVR survives being read and written', () => {
  assert.equal(formatEvr(parseEvr('3.2.1-4.fc42')), '0:3.2.1-4.fc42');
  assert.equal(formatEvr(parseEvr('2:8.2-1~rc1')), '2:8.2-1~rc1');
});

test('random versions are ordered as rpm itself orders them', () => {
  const segment = fc.oneof(
    fc.constantFrom(
      '~',
      '^',
      '.',
      '_',
      '+',
      '~~',
      '^^',
      '..',
      '',
      '0',
      '00',
      '01',
      '1',
      '10',
      'a',
      'rc',
      'A',
      'Z',
    ),
    fc.stringMatching(/^[0-9a-zA-Z]{1,4}$/),
  );
  const version = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  // A change of one version, so that pairs are often nearly equal.
  const pair = fc.oneof(
    fc.tuple(version, version),
    fc.tuple(version, segment).map(([start, more]): [string, string] => [start, start + more]),
    fc.tuple(version, segment, version).map(([a, b, c]): [string, string] => [a + b + c, a + c]),
  );
  const pairs = fc.sample(pair, 2000).filter(([left, right]) => left !== '' && right !== '');
  const table = pairs.map(([left, right]) => `{"${left}","${right}"}`).join(',');
  const script = `local out = {} for i, p in ipairs({${table}}) do out[i] = rpm.vercmp(p[1], p[2]) end print(table.concat(out, ' '))`;
  const answers = execFileSync('rpm', ['--eval', `%{lua: ${script}}`], { encoding: 'utf8' })
    .trim()
    .split(' ');
  assert.equal(answers.length, pairs.length);
  for (const [index, [left, right]] of pairs.entries()) {
    assert.equal(Math.sign(compareVersions(left, right)), Number(answers[index]), `"${left}" and "${right}"`);
  }
});

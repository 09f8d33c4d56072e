import assert from 'node:assert/strict';
import { test } from 'node:test';
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

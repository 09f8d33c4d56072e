import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBuildWanted, readFindQuery } from '../../src/model/find-query.ts';

const kindOf = (text: string): string => readFindQuery(text).kind;

test('what somebody types is read as what it looks like', () => {
  const read = {
    '812': 'number',
    '#812': 'number',
    'cve-2026-31337': 'cve',
    'RHSA-2026:1234': 'advisory',
    'FEDORA-EPEL-2026-0A1B2C3D4E': 'update',
    'nodejs:22': 'module',
    'nodejs:22:4420261130:a1b2c3d4': 'module',
    'openssl-3.2.1-5.fc44': 'build',
    'openssl-3.2.1': 'build',
    'brew:openssl-3.2.1-5.el9': 'build',
    openssl: 'name',
    'f44-updates': 'name',
  };
  for (const [text, kind] of Object.entries(read)) assert.equal(kindOf(text), kind, text);
});

test('names are written in the letters of their system', () => {
  const wordOf = (text: string): string => readFindQuery(text).word;
  assert.equal(wordOf(' cve-2026-31337 '), 'CVE-2026-31337');
  assert.equal(wordOf('fedora-2026-0A1B2C3D4E'), 'FEDORA-2026-0a1b2c3d4e');
  assert.equal(wordOf('rhsa-2026-1234'), 'RHSA-2026:1234');
  assert.equal(wordOf('openssl-3.2.1-5.fc44.src.rpm'), 'openssl-3.2.1-5.fc44');
  assert.equal(wordOf('a\u0000b'), 'a b');
  assert.equal(wordOf('x'.repeat(900)).length, 200);
});

test('the packages a build may be of are all but its version and release, or its version alone', () => {
  assert.deepEqual(readFindQuery('openssl-3.2.1-5').packages, ['openssl', 'openssl-3.2.1']);
  assert.deepEqual(readFindQuery('java-21-openjdk-21.0.9-1').packages, [
    'java-21-openjdk',
    'java-21-openjdk-21.0.9',
  ]);
  assert.deepEqual(readFindQuery('brew:gcc-14.2-3').packages, ['gcc', 'gcc-14.2']);
  assert.deepEqual(readFindQuery('python-requests').packages, []);
});

test('a build is one that was looked for where no more than the end of its release was left out', () => {
  const wanted = readFindQuery('openssl-3.2.1-5');
  assert.ok(isBuildWanted(wanted, 'openssl-3.2.1-5.fc44'));
  assert.ok(isBuildWanted(wanted, 'brew:openssl-3.2.1-5'));
  assert.ok(!isBuildWanted(wanted, 'openssl-3.2.1-51.fc44'));
  assert.ok(isBuildWanted(readFindQuery('openssl-3.2.1'), 'openssl-3.2.1-7.fc44'));
  assert.ok(!isBuildWanted(readFindQuery('openssl-3.2'), 'openssl-3.21-7.fc44'));
});

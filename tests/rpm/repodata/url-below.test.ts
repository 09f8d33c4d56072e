import assert from 'node:assert/strict';
import { test } from 'node:test';
import { urlBelow } from '../../../src/rpm/repodata/url-below.ts';

const cases: readonly [string, string, string | null][] = [
  ['http://h/repo', 'a.rpm', 'http://h/repo/a.rpm'],
  ['http://h/repo/', 'P/a.rpm', 'http://h/repo/P/a.rpm'],
  ['http://h:81/repo', '../../pool/a.rpm', 'http://h:81/pool/a.rpm'],
  ['http://h/repo', 'app-1:1.0-1.rpm', 'http://h/repo/app-1%3A1.0-1.rpm'],
  ['http://h/repo', 'a#.rpm', 'http://h/repo/a%23.rpm'],
  ['http://h/repo', 'a?.rpm', 'http://h/repo/a%3F.rpm'],
  ['http://h/repo', 'a%.rpm', 'http://h/repo/a%25.rpm'],
  ['http://h/repo', 'a\\.rpm', 'http://h/repo/a%5C.rpm'],
  ['http://h/repo', 'x%2Fy/a.rpm', 'http://h/repo/x%2Fy/a.rpm'],
  ['http://h/repo', 'libz++-1^git~1.rpm', 'http://h/repo/libz%2B%2B-1%5Egit~1.rpm'],
  ['http://h/repo', 'a é.rpm', 'http://h/repo/a%20%C3%A9.rpm'],
  ['http://h/repo', 'a.rpm?token=x/y%2F+', 'http://h/repo/a.rpm?token=x/y%2F+'],
  ['http://h/repo?key=1', 'repodata/repomd.xml', 'http://h/repo/repodata/repomd.xml?key=1'],
  ['http://h/repo/?key=1', 'a.rpm?token=2', 'http://h/repo/a.rpm?token=2'],
  ['http://h/repo#x', 'a.rpm', 'http://h/repo/a.rpm'],
  ['http://h/repo', 'https://g:8/x%2Fy?a=b', 'https://g:8/x%2Fy?a=b'],
  ['http://h/repo', '//evil/a.rpm', 'http://h/evil/a.rpm'],
  ['http://h/repo', 'file:///etc/passwd', null],
  ['http://h/repo', 'ftp://g/a.rpm', null],
  ['/srv/repo', 'http://g/a.rpm', 'http://g/a.rpm'],
  ['/srv/repo', 'a.rpm', null],
];
for (const [base, href, expected] of cases) {
  test(`${href} below ${base} is ${String(expected)}`, () => assert.equal(urlBelow(base, href), expected));
}

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseRpmHeader } from '../../../src/rpm/header/rpm-header.ts';
import { recordOf } from '../../../src/rpm/record-of.ts';
import { createrepo } from '../../../src/rpm/createrepo/createrepo.ts';
import { makeFragments } from '../../../src/rpm/repodata/make-fragments.ts';
import { type TagValue, buildRpm, int16, int32, plainTags, string, strings } from '../header/build-rpm.ts';
import { unpack } from './unpack.ts';

const root = mkdtempSync(join(tmpdir(), 'odd-packages-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;

function add(tree: string, extra: readonly [number, TagValue][], format: 3 | 4 = 4): void {
  count += 1;
  const name = `p${String(count).padStart(3, '0')}`;
  const main = new Map([...plainTags(name), ...extra]);
  writeFileSync(join(tree, `${name}-1.0-1.noarch.rpm`), buildRpm({ main, format }));
}

function requires(names: readonly string[], flags = names.map(() => 0), evrs = names.map(() => '')) {
  const list: [number, TagValue][] = [
    [1049, strings(...names)],
    [1048, int32(...flags)],
    [1050, strings(...evrs)],
  ];
  return list;
}

function changelog(times: readonly number[], author = 'a', text = 't') {
  const list: [number, TagValue][] = [
    [1080, int32(...times)],
    [1081, strings(...times.map((_, index) => `${author}${index}`))],
    [1082, strings(...times.map((_, index) => `${text}${index}`))],
  ];
  return list;
}

function i18n(...value: string[]): TagValue {
  return { type: 'i18n', value };
}

const glibc = [
  'libc.so.6',
  'libc.so.6()(64bit)',
  'libc.so.6(GLIBC_2.2.5)(64bit)',
  'libc.so.6(GLIBC_2.33)(64bit)',
  'libc.so.6(GLIBC_PRIVATE)(64bit)',
  'libc.so.6(GLIBC_2.4)',
  'libc.so.6(GCC_1)',
  'libc.so.6(GLIBC_ABI_DT_RELR)(64bit)',
  'libc.so.6(GLIBC_2.4)(64bit)',
  'libc.so.66',
];
const evrs = [
  '',
  '1',
  '1-2',
  '0:1',
  ':1',
  'a:1',
  '1:',
  '1:2-3-4',
  '-',
  '1-',
  '-1',
  ':',
  'x:y-z',
  '01:1',
  '1:2:3',
  '1-2:3',
];
const files: [number, TagValue][] = [
  [1117, strings('f', 'caf\xe9', '', 'a"b')],
  [1116, int32(0, 0, 1, 1)],
  [1118, strings('/usr/bin/', '/etc/')],
];

function oddPackages(tree: string): void {
  for (const first of glibc) {
    for (const second of glibc) if (first !== second) add(tree, requires([first, second]));
  }
  add(tree, requires(glibc));
  add(
    tree,
    requires(
      evrs.map((_, index) => `v${index}`),
      evrs.map(() => 8),
      evrs,
    ),
  );
  add(
    tree,
    requires(
      evrs.map((_, index) => `v${index}`),
      evrs.map(() => 0),
      evrs,
    ),
  );
  for (let flags = 0; flags < 16; flags += 1) add(tree, requires(['f'], [flags], ['1']));
  add(tree, requires(['', 'x', ' ', 'rpmlib(', 'rpmlib', '/etc/x']));
  const order = [0, 512, 1024, 1280, 2048, 2304, 64, 32, 128, 4096];
  add(
    tree,
    requires(
      order.map(() => 'same'),
      order,
    ),
  );
  add(tree, [
    [1047, strings('', 'a', 'a', 'b', '(r)')],
    [1112, int32(0, 8, 8, 64, 0)],
    [1113, strings('', '1', '2', '', '')],
    ...requires(['a', 'a', 'b', 'a', 'a'], [8, 8, 0, 2, 520], ['1', '3', '', '1', '2']),
  ]);
  add(tree, [
    [5046, strings('r', '')],
    [5047, strings('1', '')],
    [5048, int32(8 + 64, 512)],
    [5049, strings('s')],
    [5050, strings('')],
    [5051, int32(0)],
  ]);
  add(tree, [
    [1004, i18n('caf\xe9')],
    [1015, string('B\xc3\xb6rn')],
    [1020, string(' http://x?a&b<c>"d" ')],
  ]);
  add(tree, [
    [1004, i18n('  lead', 'second')],
    [1005, i18n('\n\ttab\r\n  \n')],
    [1016, i18n('')],
  ]);
  add(tree, changelog([5, 4, 4, 4, 3, 3, 2, 2, 2, 2, 2, 1]));
  add(tree, changelog([1, 2, 2, 1, 3]));
  add(tree, changelog([3, 3, 2], 'x\ty "q"  <a>  ', ' \n&'));
  add(tree, [...files, [1030, int16(0o100644, 0o100644, 0o40755, 0o120777)], [1037, int32(0, 64, 64, 0)]]);
  add(tree, files);
  const old: [number, TagValue][] = [
    [1027, strings('/usr/bin/old', '/etc')],
    [1030, int16(0o100644, 0o40755)],
    [1037, int32(0, 0)],
  ];
  add(tree, old, 3);
  add(tree, old, 4);
  add(tree, [
    [1003, int32(7)],
    [1106, int32(1)],
  ]);
  add(tree, [
    [1001, string('1"&<')],
    [1002, string('r-1')],
    [1003, int32(0)],
  ]);
}

function readXml(path: string): string[] {
  return unpack(path)
    .toString('utf8')
    .replaceAll(/&#x([0-9A-F]{2,6});/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .trimEnd()
    .split(/(?=<package )/);
}

test('packages with odd but readable headers give the repodata of createrepo_c', async () => {
  const tree = join(root, 'tree');
  const theirs = join(root, 'theirs');
  mkdirSync(tree);
  mkdirSync(theirs);
  oddPackages(tree);
  execFileSync('createrepo_c', ['-q', '--no-database', '-o', theirs, tree], { stdio: 'pipe' });
  const { records } = await createrepo({ now: new Date(0) }, { directory: tree });
  for (const { type, href } of records) {
    const [peer] = readdirSync(join(theirs, 'repodata')).filter((name) => name.endsWith(`${type}.xml.gz`));
    const ours = readXml(join(tree, href));
    const expected = readXml(join(theirs, 'repodata', peer ?? ''));
    for (const [index, element] of expected.entries()) assert.equal(ours[index], element);
    assert.equal(ours.length, count + 1);
  }
});

function primaryOf(extra: readonly [number, TagValue][]): string {
  const bytes = buildRpm({ main: new Map([...plainTags('odd'), ...extra]) });
  const facts = { pkgid: 'f'.repeat(64), size: bytes.byteLength, fileTime: 1 };
  return Buffer.from(makeFragments(parseRpmHeader(bytes, 'odd.rpm'), facts).primary).toString('utf8');
}

test('characters that XML cannot have are left out, where createrepo_c would leave out the package', () => {
  const primary = primaryOf([
    [1004, i18n('a\x01b\x1f\x7f')],
    [1005, i18n('\xef\xbf\xbfx')],
  ]);
  assert.match(primary, /<summary>ab\x7f<\/summary>/);
  assert.match(primary, /<description>x<\/description>/);
});

test('text that is not UTF-8 is read as latin1, no character lost', () => {
  assert.match(primaryOf([[1005, i18n('caf\xc3\xa9 \xff')]]), /<description>cafÃ© ÿ<\/description>/);
});

test('the size of a v6 payload comes from the main header', () => {
  assert.match(
    primaryOf([
      [5114, int32(6)],
      [5113, int32(1234)],
    ]),
    /archive="1234"/,
  );
});

test('a record has what repodata has', () => {
  const main = new Map([
    ...plainTags('odd'),
    ...requires(['rpmlib(x)', 'a', 'pre', 'odd'], [8, 12, 512, 0], ['1', '2:1-3', '', '']),
    ...files,
    [1030, int16(0o100644, 0o100644, 0o40755, 0o120777)] as const,
    [1037, int32(0, 64, 64, 0)] as const,
    [1047, strings('odd')] as const,
    [1112, int32(8)] as const,
    [1113, strings('1.0-1')] as const,
  ]);
  assert.deepEqual(recordOf(parseRpmHeader(buildRpm({ main }), 'odd.rpm')), {
    name: 'odd',
    epoch: '0',
    version: '1.0',
    release: '1',
    arch: 'noarch',
    sourceRpm: 'odd-1.0-1.src.rpm',
    requires: [
      { name: 'a', flag: 'GE', epoch: '2', version: '1', release: '3' },
      { name: 'pre', pre: true },
      { name: 'odd' },
    ],
    provides: [{ name: 'odd', flag: 'EQ', epoch: '0', version: '1.0', release: '1' }],
    primaryFiles: ['/usr/bin/f', '/usr/bin/café', '/etc/', '/etc/a"b'],
  });
});

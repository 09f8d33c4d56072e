import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ReactorError } from '../../../src/model/errors.ts';
import { readRpmFile, readRpmHeader } from '../../../src/rpm/header/read-rpm-header.ts';
import { digestsOf, nevraOf, sizesOf } from '../../../src/rpm/header/rpm-facts.ts';
import { type RpmHeader, parseRpmHeader } from '../../../src/rpm/header/rpm-header.ts';
import { keyIdOf, sigkeyOf } from '../../../src/rpm/header/sigkey.ts';
import { Tag } from '../../../src/rpm/header/tags.ts';
import { recordOf } from '../../../src/rpm/record-of.ts';
import { makeFragments } from '../../../src/rpm/repodata/make-fragments.ts';
import { sharedPath } from '../../shared.ts';
import { binary, buildHeader, buildRpm, int32, plainTags, string, strings } from './build-rpm.ts';

const root = mkdtempSync(join(tmpdir(), 'rpm-header-'));
after(() => rmSync(root, { recursive: true }));

const trees = [sharedPath('odcs/repo'), sharedPath('pungi/koji-topdir')];
const rpms = trees.flatMap((tree) =>
  readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rpm'))
    .map((name) => join(tree, name)),
);
const small = sharedPath('odcs/repo/module-build-macros-0.1-1.module_fd8ca23e.noarch.rpm');

/** Everything we ever ask of a header. */
function useUp(header: RpmHeader): void {
  makeFragments(header, { pkgid: 'f'.repeat(64), size: 1, fileTime: 1 });
  recordOf(header);
  sigkeyOf(header);
  digestsOf(header);
}

describe('the header of an RPM', () => {
  test('says what rpm says of every package: identity, digests, sizes, key', () => {
    const format = [
      '%{NAME}|%|EPOCH?{%{EPOCH}}:{0}||%{VERSION}|%{RELEASE}|%|SIGMD5?{%{SIGMD5}}:{}|',
      '|%|SHA256HEADER?{%{SHA256HEADER}}:{}||%|PAYLOADDIGEST?{%{PAYLOADDIGEST}}:{}|',
      '|%|SIZE?{%{SIZE}}:{0}||%|RSAHEADER?{%{RSAHEADER:pgpsig}}:{}|\n',
    ].join('');
    const said = execFileSync('rpm', ['-qp', '--nosignature', '--nodigest', '--qf', format, ...rpms], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const lines = said.trimEnd().split('\n');
    assert.equal(lines.length, rpms.length);
    for (const [index, path] of rpms.entries()) {
      const { header } = readRpmFile(path);
      const { name, epoch, version, release } = nevraOf(header);
      const { sigmd5, sha256, payload } = digestsOf(header);
      const key = sigkeyOf(header);
      const line = lines[index] ?? '';
      const [said, signature = ''] = [
        line.slice(0, line.lastIndexOf('|')),
        line.slice(line.lastIndexOf('|') + 1),
      ];
      const ours = [name, epoch, version, release, sigmd5, sha256 ?? '', payload?.digest ?? ''];
      assert.equal([...ours, sizesOf(header).installed].join('|'), said, path);
      assert.equal(key ?? '', /Key ID ([0-9a-f]+)$/.exec(signature)?.[1]?.slice(-8) ?? '');
    }
  });

  test('names the key of a package signed by rpmsign, in every kind of signature', () => {
    const home = join(root, 'gnupg');
    mkdirSync(home, { mode: 0o700 });
    const environment = { ...process.env, GNUPGHOME: home };
    const gpg = (...words: string[]) =>
      execFileSync('gpg', ['--batch', ...words], { env: environment, stdio: 'pipe' });
    try {
      for (const kind of ['rsa2048', 'ed25519']) {
        const mail = `${kind}@example.com`;
        gpg('--passphrase', '', '--quick-generate-key', mail, kind, 'sign', 'never');
        const listed = gpg('--with-colons', '--list-keys', mail).toString();
        const keyId = /^pub:[^:]*:[^:]*:[^:]*:([0-9A-F]{16}):/m.exec(listed)?.[1] ?? '';
        const path = join(root, `${kind}.rpm`);
        cpSync(small, path);
        execFileSync(
          'rpmsign',
          ['--addsign', '--define', '__gpg /usr/bin/gpg', '--define', `_gpg_name ${mail}`, path],
          {
            env: environment,
            stdio: 'pipe',
          },
        );
        assert.equal(sigkeyOf(readRpmFile(path).header), keyId.slice(-8).toLowerCase());
      }
    } finally {
      execFileSync('gpgconf', ['--kill', 'all'], { env: environment });
    }
  });

  test('a package without a signature has no key, and neither has one with a broken signature', () => {
    assert.equal(sigkeyOf(parseRpmHeader(buildRpm({ main: plainTags('a') }), 'a')), null);
    const issuer = Buffer.from('c212040001080000000a09100123456789abcdef', 'hex');
    for (const [bytes, expected] of [
      [Buffer.alloc(0), null],
      [Buffer.from('00', 'hex'), null],
      [Buffer.from('c2ff04', 'hex'), null],
      [Buffer.from('c21004000108000affffffffffffffffffff', 'hex'), null],
      [issuer, '89abcdef'],
    ] as const) {
      const signature = new Map([[268, binary(bytes.byteLength === 0 ? Buffer.from([1]) : bytes)]]);
      assert.equal(sigkeyOf(parseRpmHeader(buildRpm({ main: plainTags('a'), signature }), 'a')), expected);
    }
    const openpgp = new Map([[278, strings(issuer.toString('base64'))]]);
    assert.equal(
      sigkeyOf(parseRpmHeader(buildRpm({ main: plainTags('a'), signature: openpgp }), 'a')),
      '89abcdef',
    );
    assert.equal(keyIdOf(Buffer.from('8810030500000000000123456789abcdef', 'hex')), '0123456789abcdef');
  });

  test('is read from any source of bytes, in one read where it is small', async () => {
    const bytes = readFileSync(small);
    const reads: [number, number][] = [];
    const read = (offset: number, length: number) => {
      reads.push([offset, length]);
      return Promise.resolve(bytes.subarray(offset, offset + length));
    };
    assert.equal(nevraOf(await readRpmHeader({ where: small, read })).name, 'module-build-macros');
    assert.deepEqual(reads, [[0, 32 * 1024]]);

    const text = 'x'.repeat(100_000);
    const large = buildRpm({
      main: new Map([...plainTags('large'), [1005, string(text)]]),
      payload: Buffer.alloc(500_000),
    });
    let total = 0;
    const header = await readRpmHeader({
      where: 'large',
      read: (offset, length) => {
        total += length;
        return Promise.resolve(large.subarray(offset, offset + Math.min(length, 20_000)));
      },
    });
    assert.equal(header.main.string(1005), text);
    assert.ok(total < 400_000);
    const path = join(root, 'large.rpm');
    writeFileSync(path, large);
    for (const options of [{}, { pkgid: 'f'.repeat(64) }, { scratch: Buffer.alloc(40_000) }]) {
      assert.equal(readRpmFile(path, options).header.main.string(1005), text);
    }
  });

  test('hashes the file on the way, whatever its size', () => {
    for (const size of [0, 1, 1024 * 1024 - 3000, 1024 * 1024, 3_000_000]) {
      const path = join(root, 'sized.rpm');
      writeFileSync(path, buildRpm({ main: plainTags('sized'), payload: Buffer.alloc(size, 7) }));
      const expected = execFileSync('sha256sum', [path], { encoding: 'utf8' }).slice(0, 64);
      assert.equal(readRpmFile(path).pkgid, expected);
    }
  });

  test('knows the formats 3, 4 and 6, and sources old and new', () => {
    const formatOf = (extra: Parameters<typeof buildRpm>[0]) => parseRpmHeader(buildRpm(extra), 'x');
    const main = plainTags('x');
    assert.equal(formatOf({ main, format: 3 }).format, 3);
    assert.equal(formatOf({ main }).format, 4);
    assert.equal(formatOf({ main: new Map([...main, [5114, int32(6)]]) }).format, 6);
    assert.equal(formatOf({ main }).isSource, false);
    assert.equal(formatOf({ main: new Map([...main, [1106, int32(1)]]) }).isSource, true);
    const old = new Map([...main].filter(([tag]) => tag !== 1044));
    assert.equal(formatOf({ main: old, format: 3 }).isSource, true);
  });
});

describe('a broken RPM', () => {
  const bytes = readFileSync(small);
  const end = parseRpmHeader(bytes, small).main.end;

  test('cut off at any byte is a typed error that names file and offset', () => {
    const path = join(root, 'cut.rpm');
    for (let length = 0; length < end; length += 1) {
      const cut = bytes.subarray(0, length);
      assert.throws(
        () => parseRpmHeader(cut, 'cut.rpm'),
        (error) =>
          error instanceof ReactorError &&
          error.code === 'rpm.truncated' &&
          error.where === `cut.rpm:${length}`,
      );
      if (length % 97 !== 0) continue;
      writeFileSync(path, cut);
      assert.throws(() => readRpmFile(path), { code: 'rpm.truncated', where: `${path}:${length}` });
    }
    assert.doesNotThrow(() => useUp(parseRpmHeader(bytes.subarray(0, end), 'whole')));
  });

  test('with any byte of its headers changed is read or is a typed error', () => {
    for (let at = 0; at < end; at += 1) {
      for (const value of [0, 0xff]) {
        const changed = Buffer.from(bytes.subarray(0, end));
        changed[at] = value;
        try {
          useUp(parseRpmHeader(changed, 'changed'));
        } catch (error) {
          assert.ok(
            error instanceof ReactorError && error.code.startsWith('rpm.'),
            `byte ${at}: ${String(error)}`,
          );
        }
      }
    }
  });

  const header = buildHeader(plainTags('x'), 63);
  const rpm = buildRpm({ main: plainTags('x') });
  const start = rpm.byteLength - 20 - header.byteLength;
  const entry = (index: number) => start + 16 + index * 16;
  const cases: [string, string, (bytes: Buffer) => unknown][] = [
    ['no RPM at all', 'rpm.not_an_rpm', (b) => b.writeUInt32BE(0, 0)],
    ['a wrong magic of the signature', 'rpm.header_magic_wrong', (b) => b.writeUInt32BE(1, 96)],
    ['a wrong magic of the header', 'rpm.header_magic_wrong', (b) => b.writeUInt32BE(1, start)],
    ['a huge count of entries', 'rpm.header_too_large', (b) => b.writeUInt32BE(0xffffffff, start + 8)],
    ['a huge store', 'rpm.header_too_large', (b) => b.writeUInt32BE(0xffffffff, start + 12)],
    ['a store larger than the file', 'rpm.truncated', (b) => b.writeUInt32BE(100_000_000, start + 12)],
    ['an unknown type', 'rpm.index_broken', (b) => b.writeUInt32BE(10, entry(1) + 4)],
    ['no values', 'rpm.index_broken', (b) => b.writeUInt32BE(0, entry(1) + 12)],
    ['an offset outside', 'rpm.entry_out_of_bounds', (b) => b.writeUInt32BE(0x7fffffff, entry(1) + 8)],
    ['a negative offset', 'rpm.entry_out_of_bounds', (b) => b.writeInt32BE(-1, entry(1) + 8)],
    ['a huge count', 'rpm.entry_out_of_bounds', (b) => b.writeUInt32BE(0xffffffff, entry(1) + 12)],
    ['a region that is not first', 'rpm.region_broken', (b) => b.writeUInt32BE(63, entry(2))],
    [
      'a region without a trailer',
      'rpm.entry_out_of_bounds',
      (b) => b.writeUInt32BE(header.readUInt32BE(12) - 8, entry(0) + 8),
    ],
    ['a region inside itself', 'rpm.region_broken', (b) => b.writeInt32BE(16, b.byteLength - 20 - 8)],
    [
      'a region of more than there is',
      'rpm.region_broken',
      (b) => b.writeInt32BE(-16 * 999, b.byteLength - 20 - 8),
    ],
    ['a name that is a number', 'rpm.entry_type_wrong', (b) => b.writeUInt32BE(4, entry(2) + 4)],
    ['no name', 'rpm.tag_missing', (b) => b.writeUInt32BE(99, entry(2))],
  ];
  for (const [title, code, breakIt] of cases) {
    test(`with ${title} is ${code}`, () => {
      const broken = Buffer.from(rpm);
      breakIt(broken);
      assert.throws(
        () => useUp(parseRpmHeader(broken, 'broken.rpm')),
        (error) =>
          error instanceof ReactorError && error.code === code && /^broken\.rpm:\d+$/.test(error.where ?? ''),
      );
    });
  }

  test('whose lists disagree is rpm.lists_disagree', () => {
    for (const tags of [
      new Map([
        [1049, strings('a', 'b')],
        [1048, int32(1)],
        [1050, strings('', '')],
      ]),
      new Map([
        [1117, strings('a')],
        [1116, int32(1)],
        [1118, strings('/')],
        [1030, int32(1)],
        [1037, int32(1)],
      ]),
      new Map([
        [1117, strings('a')],
        [1116, int32(0, 0)],
        [1118, strings('/')],
        [1030, int32(1)],
        [1037, int32(1)],
      ]),
      new Map([
        [1117, strings('a')],
        [1116, int32(0)],
        [1118, strings('/')],
        [1030, int32(1, 1)],
        [1037, int32(1)],
      ]),
      new Map([
        [1081, strings('a', 'b')],
        [1080, int32(1)],
        [1082, strings('', '')],
      ]),
    ]) {
      const main = new Map([...plainTags('x'), ...tags]);
      assert.throws(() => useUp(parseRpmHeader(buildRpm({ main }), 'x')), { code: 'rpm.lists_disagree' });
    }
  });

  test('with short names in a huge directory cannot make paths without bound', () => {
    const count = 20_000;
    const main = new Map([
      ...plainTags('x'),
      [1117, strings(...Array.from({ length: count }, () => 'f'))] as const,
      [1116, int32(...Array.from({ length: count }, () => 0))] as const,
      [1118, strings('/'.repeat(20_000))] as const,
      [1030, int32(...Array.from({ length: count }, () => 0))] as const,
      [1037, int32(...Array.from({ length: count }, () => 0))] as const,
    ]);
    assert.throws(() => useUp(parseRpmHeader(buildRpm({ main }), 'x')), { code: 'rpm.too_many_entries' });
  });

  test('with a string that does not end is rpm.string_unterminated', () => {
    const main = new Map([...plainTags('x')].filter(([tag]) => tag <= Tag.sourceRpm));
    const whole = buildRpm({ main, format: 3, payload: Buffer.alloc(0) });
    assert.doesNotThrow(() => useUp(parseRpmHeader(whole, 'x')));
    whole[whole.byteLength - 1] = 120;
    assert.throws(() => useUp(parseRpmHeader(whole, 'x')), { code: 'rpm.string_unterminated' });
  });

  test('that is not there is rpm.unreadable', () => {
    assert.throws(() => readRpmFile(join(root, 'missing.rpm')), { code: 'rpm.unreadable' });
  });
});

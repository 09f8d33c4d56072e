import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { addPrimary } from '../../../src/composer/gather/add-packages.ts';
import { GatherIndex } from '../../../src/composer/gather/gather-index.ts';
import { readFragments } from '../../../src/rpm/repodata/read-fragments.ts';
import { openRepository } from '../../../src/rpm/repodata/read-repository.ts';
import { personalPolicy } from '../../../src/upstream/http/fetch-policy.ts';
import { HttpClient } from '../../../src/upstream/http/http-client.ts';
import { repositoryReader } from '../../../src/upstream/read-repository-url.ts';
import { parseRepomd } from '../../../src/rpm/repodata/repomd.ts';
import { sharedPath } from '../../shared.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-repodata-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

interface Written {
  readonly href?: string;
  readonly checksum?: string;
  readonly checksumType?: string;
  readonly open?: string;
  readonly size?: number;
}

/** A repository whose primary is these bytes, described truly but for what `lies` says. */
function repositoryOf(packed: Uint8Array, content: Uint8Array | null, lies: Written = {}): string {
  count += 1;
  const directory = join(folder, `repo-${count}`);
  mkdirSync(join(directory, 'repodata'), { recursive: true });
  writeFileSync(join(directory, 'repodata', 'primary.xml'), packed);
  const checksum = lies.checksum ?? sha256(packed);
  const open = lies.open ?? (content === null ? null : sha256(content));
  writeFileSync(
    join(directory, 'repodata', 'repomd.xml'),
    `<repomd><revision>7</revision><data type="primary">
      ${checksum === '' ? '' : `<checksum type="${lies.checksumType ?? 'sha256'}">${checksum}</checksum>`}
      ${open === null ? '' : `<open-checksum type="sha256">${open}</open-checksum>`}
      <location href="${lies.href ?? 'repodata/primary.xml'}"/>
      ${lies.size === undefined ? '' : `<size>${lies.size}</size>`}
    </data></repomd>`,
  );
  return directory;
}

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return 'none';
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') return thrown.code;
    throw thrown;
  }
}

async function joined(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

/** Reads it as a whole and in parts, which must end alike. */
async function readPrimary(directory: string): Promise<Buffer> {
  const repository = await openRepository({}, directory);
  const inParts = () => joined(repository.readParts('primary'));
  try {
    const whole = await repository.readRecord('primary');
    assert.deepEqual(await inParts(), whole);
    return whole;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(error instanceof Error && 'code' in error);
    await assert.rejects(inParts, { code: error.code });
    throw error;
  }
}

function primaryOf(...packages: string[]): Buffer {
  return Buffer.from(`<?xml version="1.0"?>\n<metadata packages="1">\n${packages.join('\n')}\n</metadata>\n`);
}

function packageOf(name: string, extra = '', href = `${name}.rpm`): string {
  return `<package type="rpm"><name>${name}</name><arch>x86_64</arch><version epoch="0" ver="1" rel="1"/>
    <checksum type="sha256" pkgid="YES">${sha256(Buffer.from(name))}</checksum><location href="${href}"/>
    <format>${extra}</format></package>`;
}

async function indexOf(content: Buffer): Promise<GatherIndex> {
  const index = new GatherIndex();
  const repository = index.addRepository({ name: 'test', isLookaside: false });
  await addPrimary(index, repository, [content], 'primary.xml', content.length);
  return index;
}

test('plain, gzip, several gzip members, zstd and several zstd frames are read', async () => {
  const content = primaryOf(packageOf('a'));
  const half = content.length >> 1;
  const parts = [content.subarray(0, half), content.subarray(half)];
  const packed = [
    content,
    gzipSync(content),
    Buffer.concat(parts.map((part) => gzipSync(part))),
    zstdCompressSync(content),
    Buffer.concat(parts.map((part) => zstdCompressSync(part))),
  ];
  for (const bytes of packed) assert.deepEqual(await readPrimary(repositoryOf(bytes, content)), content);
});

test('a wrong checksum, open-checksum or size is told', async () => {
  const content = primaryOf();
  const packed = gzipSync(content);
  const wrong = '0'.repeat(64);
  const codes = [
    await codeOf(() => readPrimary(repositoryOf(packed, content, { checksum: wrong }))),
    await codeOf(() => readPrimary(repositoryOf(packed, content, { open: wrong }))),
    await codeOf(() => readPrimary(repositoryOf(packed, content, { size: packed.length + 1 }))),
  ];
  assert.deepEqual(codes, [
    'repodata.checksum_mismatch',
    'repodata.checksum_mismatch',
    'repodata.size_mismatch',
  ]);
});

test('a checksum of an unknown type is refused, whatever the type is called', async () => {
  const content = primaryOf();
  for (const checksumType of ['crc32', 'constructor', '__proto__', '']) {
    const code = await codeOf(() => readPrimary(repositoryOf(gzipSync(content), content, { checksumType })));
    assert.equal(code, 'repodata.checksum_unknown', checksumType);
  }
});

test('what repomd.xml gives no checksum is read', async () => {
  const content = primaryOf();
  const unchecked = repositoryOf(gzipSync(content), content, { checksum: '' });
  assert.deepEqual(await readPrimary(unchecked), content);
});

test('two gigabytes of zeros in a few kilobytes are refused before they are made', async () => {
  // A zstd frame of RLE blocks: each 4 bytes stand for 128 KiB.
  const block = Buffer.from([0x02, 0x00, 0x10, 0x00]);
  const blocks = Buffer.concat(Array.from({ length: 16_383 }, () => block));
  const last = Buffer.from([0x03, 0x00, 0x10, 0x00]);
  const frame = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]), blocks, last]);
  const before = process.memoryUsage().rss;
  assert.equal(await codeOf(() => readPrimary(repositoryOf(frame, null))), 'repodata.too_large');
  assert.ok(process.memoryUsage().rss - before < 300e6);
});

test('broken compression and bytes that are not UTF-8 are told', async () => {
  const packed = gzipSync(primaryOf(packageOf('a')));
  const codes = [
    await codeOf(() => readPrimary(repositoryOf(packed.subarray(0, -20), null))),
    await codeOf(() => readPrimary(repositoryOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]), null))),
    await codeOf(() => readPrimary(repositoryOf(Buffer.from([0x3c, 0xff, 0xfe]), null))),
    await codeOf(() => readPrimary(repositoryOf(Buffer.from('BZh9'), null))),
  ];
  assert.deepEqual(codes, [
    'repodata.compression_broken',
    'repodata.compression_broken',
    'repodata.encoding',
    'repodata.compression_broken',
  ]);
});

test('metadata in another encoding are read as what they say, in the file and in repomd.xml', async () => {
  const text = primaryOf(packageOf('a')).toString().replace('<name>a<', '<name>caf\u00e9<');
  const latin1 = text.replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="ISO-8859-1"?>');
  const packed = [
    Buffer.from(latin1, 'latin1'),
    Buffer.from(`\ufeff${text}`, 'utf16le'),
    Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
    Buffer.from(`\ufeff${text}`),
  ];
  for (const bytes of packed) {
    const index = await indexOf(await readPrimary(repositoryOf(gzipSync(bytes), bytes)));
    assert.equal(index.nameOf(0), 'caf\u00e9');
  }
  const repomd = '<repomd><revision>caf\u00e9</revision></repomd>';
  const declared = Buffer.from(`<?xml version='1.0' encoding='iso-8859-1'?>${repomd}`, 'latin1');
  assert.equal(parseRepomd(declared, 'repomd.xml').revision, 'caf\u00e9');
  assert.equal(await codeOf(() => parseRepomd(Buffer.from(repomd, 'latin1'), 'x')), 'repodata.encoding');
});

test('the repositories of the field are read as dnf reads them', async () => {
  for (const name of ['duppri', 'duprec', 'nosum', 'nosump', 'opensz', 'opensz0', 'sz0']) {
    const repository = await openRepository({}, sharedPath('field-cases', '10-repomd-strict', name));
    assert.equal((await indexOf(await repository.readRecord('primary'))).count > 0, true, name);
    await repository.readRecord('filelists');
  }
  for (const name of ['cxz', 'cbz2']) {
    const repository = await openRepository({}, sharedPath('field-cases', '01-xz', name));
    assert.equal((await indexOf(await repository.readRecord('primary'))).count, 8, name);
  }
});

test('a package that filelists or other lack gets empty ones', async () => {
  for (const name of ['shnofl', 'flack', 'olack', 'ostub']) {
    const repository = await openRepository({}, sharedPath('field-cases', '09-filelists-missing', name));
    const index = await indexOf(await repository.readRecord('primary'));
    const pkgids = Array.from({ length: index.count }, (_, id) => index.pkgidOf(id));
    const fragments = await readFragments(repository, pkgids);
    assert.equal(fragments.size, index.count, name);
    for (const { pkgid, filelists, other } of fragments.values()) {
      assert.match(
        Buffer.from(filelists).toString(),
        new RegExp(`^<package pkgid="${pkgid}"[^]*</package>$`),
      );
      assert.match(Buffer.from(other).toString(), new RegExp(`^<package pkgid="${pkgid}"[^]*</package>$`));
    }
  }
});

test('metadata that lies outside the repository is not read', async () => {
  const secret = join(folder, 'secret.xml');
  writeFileSync(secret, 'secret');
  for (const href of [
    '../secret.xml',
    'repodata/../../secret.xml',
    secret,
    'file:///etc/passwd',
    '%2e%2e/secret.xml',
  ]) {
    assert.equal(
      await codeOf(() => readPrimary(repositoryOf(Buffer.from('x'), null, { href }))),
      'repodata.location_unsafe',
      href,
    );
  }
  const linked = repositoryOf(Buffer.from('secret'), null, { href: 'repodata/link.xml' });
  symlinkSync(secret, join(linked, 'repodata', 'link.xml'));
  assert.equal(await codeOf(() => readPrimary(linked)), 'repodata.location_unsafe');
});

test('entities and declarations are refused, character numbers are read', async () => {
  const lists = (name: string): string => `<rpm:requires><rpm:entry name="${name}"/></rpm:requires>`;
  const bomb = Buffer.from(`<!DOCTYPE x [<!ENTITY a "aa">]>${primaryOf(packageOf('a')).toString()}`);
  assert.equal(await codeOf(() => indexOf(bomb)), 'repodata.entity');
  assert.equal(await codeOf(() => indexOf(primaryOf(packageOf('a', lists('&bomb;'))))), 'repodata.entity');
  const index = await indexOf(primaryOf(packageOf('a', lists('&lt;&#65;&#x42;&quot;'))));
  assert.equal(index.dependencyText(0), '<AB"');
});

test('a primary.xml cut at any byte is a typed error', async () => {
  const content = primaryOf(
    packageOf(
      'a',
      '<rpm:provides><rpm:entry name="x" flags="EQ" epoch="0" ver="1" rel="2"/></rpm:provides><file>/etc/a</file>',
    ),
  );
  const end = content.lastIndexOf('</metadata>');
  for (let length = 0; length <= end; length += 1) {
    const code = await codeOf(() => indexOf(content.subarray(0, length)));
    assert.ok(code.startsWith('repodata.'), `${length}: ${code}`);
  }
});

test('a package that is listed twice is taken once', async () => {
  assert.equal((await indexOf(primaryOf(packageOf('a'), packageOf('a'), packageOf('b')))).count, 2);
});

test('of two records of one type the first stands, and one without location is none', () => {
  const data = (href: string): string =>
    `<data type="primary"><checksum type="sha256">00</checksum><location href="${href}"/></data>`;
  const odd = '<data type="odd"><checksum type="md5">0</checksum><size>x</size></data>';
  const { records } = parseRepomd(
    Buffer.from(`<repomd>${odd}${data('a')}${data('b')}</repomd>`),
    'repomd.xml',
  );
  assert.deepEqual(
    records.map(({ type, href }) => `${type} ${href}`),
    ['primary a'],
  );
});

test('a repomd.xml without its end, and one that is something else, is refused', async () => {
  for (const text of ['<repomd><data type="a"/>', '<metadata/>', '', '<repomd/><repomd/>']) {
    assert.equal(
      await codeOf(() => parseRepomd(Buffer.from(text), 'repomd.xml')),
      'repodata.malformed',
      text,
    );
  }
});

test('a repository is read over HTTP, and a server that fails is told apart from one that lacks the file', async () => {
  using client = new HttpClient({ policy: personalPolicy(), tries: 1 });
  const root = sharedPath('pungi', 'repos', 'edge');
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/broken/') === true) {
      response.writeHead(503).end();
      return;
    }
    try {
      response.end(readFileSync(join(root, request.url ?? '')));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const base = `http://127.0.0.1:${port}`;
    const context = { readUrl: repositoryReader(client) };
    const repository = await openRepository(context, `${base}/`);
    const local = await openRepository({}, root);
    assert.deepEqual(await repository.readRecord('primary'), await local.readRecord('primary'));
    await assert.rejects(openRepository(context, `${base}/none`), {
      code: 'repodata.unreadable',
      fate: 'drop',
    });
    await assert.rejects(openRepository({}, base), { code: 'repodata.location_unknown' });
    await assert.rejects(openRepository(context, `${base}/broken`), {
      code: 'repodata.unreadable',
      fate: 'retry',
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('fragments are the elements of the repository without their location', async () => {
  const repository = await openRepository({}, sharedPath('pungi', 'repos', 'edge'));
  const primary = (await repository.readRecord('primary')).toString();
  const pkgid = 'ec126c708da83402322f48e8ecb722006f3630c2a6c89be03f215b20873f5068';
  const fragments = await readFragments(repository, [pkgid]);
  const found = fragments.get(pkgid);
  assert.ok(found !== undefined);
  const text = Buffer.from(found.primary).toString();
  const location = '<location href="i686/e-32needs-1-1.i686.rpm"/>';
  const whole = text.slice(0, found.locationOffset) + location + text.slice(found.locationOffset);
  assert.ok(primary.includes(whole));
  assert.ok(!text.includes('<location'));
  assert.ok(
    (await repository.readRecord('filelists')).toString().includes(Buffer.from(found.filelists).toString()),
  );
  assert.ok((await repository.readRecord('other')).toString().includes(Buffer.from(found.other).toString()));
  await assert.rejects(readFragments(repository, ['00']), { code: 'repodata.package_missing' });
});

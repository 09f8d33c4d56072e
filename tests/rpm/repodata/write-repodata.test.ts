import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { PackageFragments } from '../../../src/rpm/package-fragments.ts';
import { BlockCache } from '../../../src/rpm/repodata/block-cache.ts';
import { type RepodataPackage, writeRepodata } from '../../../src/rpm/repodata/write-repodata.ts';
import { identifyPieces } from '../../../src/rpm/repodata/join-pieces.ts';
import { unpack } from './unpack.ts';

const root = mkdtempSync(join(tmpdir(), 'write-repodata-'));
after(() => rmSync(root, { recursive: true }));

function digest(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function madeUp(name: string, version: string): RepodataPackage {
  const pkgid = digest(`${name}-${version}`);
  const before = `<package type="rpm">\n  <name>${name}</name>\n`;
  const fragments: PackageFragments = identifyPieces({
    pkgid,
    primary: Buffer.from(`${before}  <version ver="${version}"/>\n</package>\n`),
    locationOffset: Buffer.byteLength(before),
    filelists: Buffer.from(`<package pkgid="${pkgid}" name="${name}" arch="noarch">\n</package>\n`),
    other: Buffer.from(`<package pkgid="${pkgid}" name="${name}" arch="noarch">\n</package>\n`),
  });
  return { fragments, location: { href: `Packages/${name[0]}/${name}-${version}-1.noarch.rpm` } };
}

function universe(count: number): RepodataPackage[] {
  return Array.from({ length: count }, (_, index) => madeUp(`package${index}`, '1'));
}

function snapshot(directory: string): Map<string, string> {
  const repodata = join(directory, 'repodata');
  return new Map(readdirSync(repodata).map((name) => [name, digest(readFileSync(join(repodata, name)))]));
}

describe('writeRepodata', () => {
  test('names every file by its checksum and describes it truly in repomd.xml', async () => {
    for (const compression of ['zstd', 'gzip'] as const) {
      const directory = join(root, compression);
      const written = await writeRepodata({}, directory, universe(300), {
        timestamp: 1_760_000_000,
        compression,
        extra: [
          { type: 'group', name: 'comps.xml', content: Buffer.from('<comps/>'), compression: 'none' },
          { type: 'group_gz', name: 'comps.xml', content: Buffer.from('<comps/>'), compression: 'gzip' },
        ],
      });
      const types = written.records.map((record) => record.type);
      assert.deepEqual(types, ['primary', 'filelists', 'other', 'group', 'group_gz']);
      const repomd = readFileSync(join(directory, 'repodata/repomd.xml'), 'utf8');
      assert.match(repomd, /<revision>1760000000<\/revision>/);
      assert.equal(digest(repomd), written.repomdChecksum);
      for (const record of written.records) {
        const bytes = readFileSync(join(directory, record.href));
        assert.equal(digest(bytes), record.checksum);
        assert.equal(bytes.byteLength, record.size);
        assert.ok(repomd.includes(`<location href="${record.href}"/>`));
        if (!record.open) continue;
        const open = unpack(join(directory, record.href));
        assert.equal(digest(open), record.open.checksum);
        assert.equal(open.byteLength, record.open.size);
      }
      assert.equal(readdirSync(join(directory, 'repodata')).length, 6);
    }
  });

  test('puts the location where the fragment wants it, escaped, with its base', async () => {
    const directory = join(root, 'location');
    const { fragments } = madeUp('a', '1');
    const location = { href: 'Packages/a&b "c".rpm', base: 'http://koji.example/x?a=1&b=2' };
    const { records } = await writeRepodata({}, directory, [{ fragments, location }], { timestamp: 1 });
    const primary = unpack(join(directory, records[0]?.href ?? '')).toString();
    assert.equal(
      primary,
      `<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">
<package type="rpm">
  <name>a</name>
  <location xml:base="http://koji.example/x?a=1&amp;b=2" href="Packages/a&amp;b &quot;c&quot;.rpm"/>
  <version ver="1"/>
</package>
</metadata>`,
    );
  });

  test('gives equal bytes for equal packages in any order, with and without a warm cache', async () => {
    const packages = universe(500);
    await writeRepodata({}, join(root, 'once'), packages, { timestamp: 7 });
    const context = { blocks: new BlockCache() };
    for (const name of ['cold', 'warm']) {
      await writeRepodata(context, join(root, name), packages.toReversed(), { timestamp: 7 });
      assert.deepEqual(snapshot(join(root, name)), snapshot(join(root, 'once')));
    }
  });

  test('gives equal bytes where blocks were forgotten and what was hashed of them is known', async () => {
    const packages = universe(500);
    await writeRepodata({}, join(root, 'remembering'), packages, { timestamp: 7 });
    const context = { blocks: new BlockCache({ memory: 0 }) };
    for (const name of ['forgetting', 'forgetful']) {
      await writeRepodata(context, join(root, name), packages, { timestamp: 7 });
      assert.deepEqual(snapshot(join(root, name)), snapshot(join(root, 'remembering')));
    }
  });

  for (const compression of ['zstd', 'gzip'] as const) {
    test(`after one change gives the bytes of a cold run, packed with ${compression}, and loads one block`, async () => {
      const context = { blocks: new BlockCache() };
      const options = { timestamp: 7, compression };
      const packages = universe(1000);
      const [changing, changed] = ['changing', 'changed'].map((name) => join(root, `${name}-${compression}`));
      assert.ok(changing !== undefined && changed !== undefined);
      await writeRepodata(context, changing, packages, options);
      const sorted = packages.toSorted((a, b) => (a.location.href < b.location.href ? -1 : 1));
      // The first, the last, and one more: as that changes the number of packages, everything is hashed anew.
      for (const [at, name] of [
        [0, 'package0'],
        [999, 'package999'],
        [1000, 'package9990'],
      ] as const) {
        let loaded = 0;
        sorted[at] = madeUp(name, '2');
        const counted = sorted.map(({ location, fragments }): RepodataPackage => {
          assert.ok(typeof fragments !== 'function');
          const load = () => {
            loaded += 1;
            return fragments;
          };
          return { location, fragments: { ...fragments, load } };
        });
        await writeRepodata(context, changing, counted, options);
        assert.ok(loaded >= 1 && loaded <= 512, `${loaded} loaded`);
        loaded = 0;
        await writeRepodata(context, changing, counted, options);
        assert.equal(loaded, 0);
        await writeRepodata({}, changed, counted, options);
        assert.deepEqual(snapshot(changing), snapshot(changed));
      }
    });
  }

  test('frees at once what blocks were packed from, and what they are unpacked into to be hashed', async () => {
    const text =
      'A line that is as long as lines of descriptions are in most packages, and no longer than that.\n';
    const packages = universe(1001).map(({ location, fragments }): RepodataPackage => {
      assert.ok(typeof fragments !== 'function');
      const large = {
        ...fragments,
        identity: `large ${fragments.pkgid}`,
        other: Buffer.from(text.repeat(200)),
      };
      return { location, fragments: { ...large, load: () => large } };
    });
    const context = { blocks: new BlockCache() };
    for (const some of [packages.slice(1), packages]) {
      const before = process.memoryUsage().arrayBuffers;
      await writeRepodata(context, join(root, 'large'), some, { timestamp: 7 });
      const more = process.memoryUsage().arrayBuffers - before;
      assert.ok(more < 6 * 2 ** 20, `${more} bytes are held of 19 MiB`);
    }
  });

  test('replaces an old repository and removes only what the old one named', async () => {
    const directory = join(root, 'replaced');
    await writeRepodata({}, directory, universe(3), { timestamp: 1 });
    const before = [...snapshot(directory).keys()];
    await writeRepodata({}, directory, universe(4), { timestamp: 2, revision: 'r2' });
    const now = [...snapshot(directory).keys()];
    assert.equal(now.length, 4);
    assert.deepEqual(
      before.filter((name) => now.includes(name)),
      ['repomd.xml'],
    );
  });

  test('refuses locations that leave the repository and leaves nothing behind', async () => {
    const { fragments } = madeUp('a', '1');
    for (const location of [
      ...['../a.rpm', '/a.rpm', 'x/../../a.rpm', '', 'a\x01b.rpm'].map((href) => ({ href })),
      { href: 'a.rpm', base: 'http://localhost/\x01/' },
    ]) {
      await assert.rejects(
        writeRepodata({}, join(root, 'bad'), [{ fragments, location }], { timestamp: 1 }),
        {
          code: 'repodata.location_invalid',
        },
      );
    }
    const dotted = { fragments, location: { href: 'Packages/a/a..b.rpm' } };
    await writeRepodata({}, join(root, 'dotted'), [dotted], { timestamp: 1 });
    const twice = [madeUp('a', '1'), madeUp('a', '1')];
    await assert.rejects(writeRepodata({}, join(root, 'bad'), twice, { timestamp: 1 }), {
      code: 'repodata.location_duplicate',
    });
  });

  test('leaves the old repository whole where it is cancelled or a package cannot be loaded', async () => {
    const directory = join(root, 'cancelled');
    await writeRepodata({}, directory, universe(200), { timestamp: 1 });
    const before = snapshot(directory);
    const controller = new AbortController();
    const progress = () => controller.abort(new Error('enough'));
    const context = { signal: controller.signal, progress };
    await assert.rejects(writeRepodata(context, directory, universe(400), { timestamp: 2 }), /enough/);
    const broken = { location: { href: 'b.rpm' }, fragments: () => Promise.reject(new Error('unreadable')) };
    await assert.rejects(
      writeRepodata({}, directory, [...universe(100), broken], { timestamp: 2 }),
      /unreadable/,
    );
    assert.deepEqual(snapshot(directory), before);
  });

  test('an empty repository is whole', async () => {
    const directory = join(root, 'empty');
    const { packages, records } = await writeRepodata({}, directory, [], {
      timestamp: 1,
      compression: 'gzip',
    });
    assert.equal(packages, 0);
    const primary = unpack(join(directory, records[0]?.href ?? '')).toString();
    assert.match(primary, /packages="0">\n<\/metadata>$/);
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openCreaterepoCaches } from '../../../src/cache/createrepo-caches.ts';
import { createrepo } from '../../../src/rpm/createrepo/createrepo.ts';
import { sharedPath } from '../../shared.ts';
import { unpack } from '../repodata/unpack.ts';

const root = mkdtempSync(join(tmpdir(), 'createrepo-'));
const tree = join(root, 'tree');
const now = new Date('2026-01-02T03:04:05Z');
let names: string[] = [];

before(() => {
  const generator = sharedPath('bench/gen_repo.py');
  const universe = join(root, 'universe');
  execFileSync('python3', [generator, '--packages', '400', '--seed', '3', '--rpms', '--out', universe]);
  cpSync(join(universe, 'rpms'), tree, { recursive: true });
  cpSync(sharedPath('odcs/repo'), join(tree, 'ed'), { recursive: true });
  names = readdirSync(tree, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.rpm'));
});
after(() => rmSync(root, { recursive: true }));

function snapshot(): Map<string, string> {
  const repodata = join(tree, 'repodata');
  return new Map(readdirSync(repodata).map((name) => [name, readFileSync(join(repodata, name), 'latin1')]));
}

function hrefsOf(primary: string): string[] {
  return [...primary.matchAll(/<location (?:xml:base="[^"]*" )?href="([^"]+)"/g)].map(
    ([, href = '']) => href,
  );
}

const comps = `<?xml version="1.0"?><comps><group><id>g</id><name>G</name><default>true</default>
<uservisible>true</uservisible><packagelist><packagereq type="mandatory">ed</packagereq></packagelist></group></comps>`;

describe('createrepo', () => {
  test('gives the same bytes with any number of threads, with a cold, a warm and no cache', async () => {
    const directory = tree;
    const first = await createrepo({ now }, { directory, workers: 0 });
    assert.equal(first.packages, names.length);
    assert.equal(first.revision, '1767323045');
    const bytes = snapshot();
    await createrepo({ now }, { directory, workers: 3 });
    assert.deepEqual(snapshot(), bytes);
    const cacheDirectory = join(root, 'cache');
    for (const [made, reused] of [
      [names.length, 0],
      [0, names.length],
    ]) {
      using caches = await openCreaterepoCaches(cacheDirectory, now);
      const result = await createrepo({ now, caches }, { directory });
      assert.deepEqual([result.made, result.reused], [made, reused]);
      assert.deepEqual(snapshot(), bytes);
    }
  });

  test('reads only what is new, whatever it is', async () => {
    using caches = await openCreaterepoCaches(join(root, 'cache-new'), now);
    const directory = tree;
    await createrepo({ now, caches }, { directory });
    cpSync(sharedPath('odcs/repo/ed-1.14.1-2.module_fd8ca23e.src.rpm'), join(tree, 'another-1-1.src.rpm'));
    try {
      const { made, reused } = await createrepo({ now, caches }, { directory });
      assert.deepEqual([made, reused], [1, names.length]);
      const bytes = snapshot();
      await createrepo({ now }, { directory });
      assert.deepEqual(snapshot(), bytes);
    } finally {
      rmSync(join(tree, 'another-1-1.src.rpm'));
    }
  });

  for (const compression of ['zstd', 'gzip'] as const) {
    test(`libsolv and dnf read what is written with ${compression}`, async () => {
      const groupFile = join(root, 'comps.xml');
      writeFileSync(groupFile, comps);
      const { records } = await createrepo({ now }, { directory: tree, compression, groupFile });
      assert.deepEqual(
        records.map((record) => record.type),
        ['primary', 'filelists', 'other', 'group', 'group_gz'],
      );
      const expected = names.map((name) => basename(name)).sort();
      const solv = execFileSync('/usr/bin/python3', [
        join(import.meta.dirname, 'read-with-libsolv.py'),
        tree,
      ]);
      const read: { files: string[]; owners: string[] } = JSON.parse(solv.toString());
      assert.deepEqual(read.files, expected);
      assert.ok(read.owners.includes('ed'));

      const dnf = (...words: string[]) => {
        const cache = join(root, `dnf-${compression}`);
        const options = ['-q', '--disablerepo=*', `--repofrompath=ours,file://${tree}`, '--releasever=1'];
        return execFileSync(
          'dnf',
          [
            ...options,
            `--setopt=cachedir=${cache}`,
            `--setopt=persistdir=${cache}`,
            '--setopt=gpgcheck=0',
            ...words,
          ],
          {
            encoding: 'utf8',
            env: { ...process.env, LC_ALL: 'C.UTF-8' },
          },
        );
      };
      const listed = dnf(
        'repoquery',
        '--qf',
        '%{name}-%{version}-%{release}.%{arch}.rpm',
        '--show-duplicates',
      );
      const forThisMachine = expected.filter((name) => !name.endsWith('.i686.rpm'));
      const found = new Set(listed.trim().split('\n'));
      assert.deepEqual(
        forThisMachine.filter((name) => !found.has(name)),
        [],
      );
      assert.match(dnf('repoquery', '--whatprovides', '/usr/share/doc/ed/NEWS'), /^ed-0:1\.14\.1/);
      assert.match(dnf('repoquery', '--changelogs', 'ed.x86_64'), /Add missing %license macro/);
      assert.match(dnf('group', 'list', '--ids'), /G \(g\)/);
    });
  }

  test('createrepo_c updates from what is written with gzip and finds nothing to change', async () => {
    const { records } = await createrepo({ now }, { directory: tree, compression: 'gzip' });
    const ours = unpack(join(tree, records[0]?.href ?? '')).toString();
    execFileSync('createrepo_c', ['-q', '--no-database', '--update', '--skip-stat', tree]);
    const [theirs] = readdirSync(join(tree, 'repodata')).filter((name) => name.endsWith('primary.xml.gz'));
    const again = unpack(join(tree, 'repodata', theirs ?? '')).toString();
    assert.equal(again.replaceAll(/&#x[0-9A-F]+;/g, ''), ours.replaceAll(/[^\0-\x7f]/gu, ''));
    rmSync(join(tree, 'repodata'), { recursive: true });
  });

  test('writes xml:base, and takes known digests for true instead of hashing', async () => {
    const digests = new Map([
      [`ed/${basename(names.find((name) => name.includes('ed-1.14.1')) ?? '')}`, 'f'.repeat(64)],
    ]);
    const directory = tree;
    const { records } = await createrepo({ now }, { directory, digests, baseUrl: 'http://koji.example/' });
    const primary = unpack(join(tree, records[0]?.href ?? '')).toString();
    assert.equal(primary.match(/xml:base="http:\/\/koji.example\/"/g)?.length, names.length);
    assert.equal(primary.match(/>f{64}</g)?.length, 1);
    assert.deepEqual(new Set(hrefsOf(primary)), new Set(names));
  });

  test('says which package is broken and leaves the old repository', async () => {
    await createrepo({ now }, { directory: tree });
    const bytes = snapshot();
    const broken = join(tree, 'broken-1-1.noarch.rpm');
    for (const workers of [0, 2]) {
      writeFileSync(broken, 'no package');
      await assert.rejects(createrepo({ now }, { directory: tree, workers }), {
        code: 'rpm.not_an_rpm',
        where: `${broken}:0`,
      });
      assert.deepEqual(snapshot(), bytes);
    }
    rmSync(broken);
  });

  test('names every broken package, or leaves them all out when told to', async () => {
    await createrepo({ now }, { directory: tree });
    const bytes = snapshot();
    const hrefs = ['broken-1-1.noarch.rpm', 'ed/cut-1-1.noarch.rpm'];
    for (const href of hrefs) writeFileSync(join(tree, href), 'no package');
    await assert.rejects(createrepo({ now }, { directory: tree }), (error: Error) => {
      assert.ok('code' in error && error.code === 'createrepo.packages_broken');
      return hrefs.every((href) => error.message.includes(href));
    });
    assert.deepEqual(snapshot(), bytes);
    const { skipped, packages } = await createrepo({ now }, { directory: tree, skipBroken: true });
    for (const href of hrefs) rmSync(join(tree, href));
    assert.deepEqual(skipped.map(({ href }) => href).sort(), hrefs);
    assert.equal(packages, names.length);
    assert.deepEqual(snapshot(), bytes);
  });

  test('stops when it is told to', async () => {
    const controller = new AbortController();
    const progress = () => controller.abort(new Error('enough'));
    const context = { now, signal: controller.signal, progress };
    await assert.rejects(createrepo(context, { directory: tree }), /enough/);
  });

  test('an empty directory is an empty repository, a missing one an error', async () => {
    const directory = join(root, 'empty');
    mkdirSync(directory);
    assert.equal((await createrepo({ now }, { directory })).packages, 0);
    await assert.rejects(createrepo({ now }, { directory: join(root, 'missing') }), {
      code: 'createrepo.directory_unreadable',
    });
    await assert.rejects(createrepo({ now }, { directory, groupFile: join(root, 'missing') }), {
      code: 'createrepo.groupfile_unreadable',
    });
  });
});

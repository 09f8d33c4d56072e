import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { linkRepodata, noteRepodata } from '../../../src/rpm/repodata/link-repodata.ts';
import { identifyPieces } from '../../../src/rpm/repodata/join-pieces.ts';
import { writeRepodata, type RepodataPackage } from '../../../src/rpm/repodata/write-repodata.ts';

const root = mkdtempSync(join(tmpdir(), 'link-repodata-'));
after(() => rmSync(root, { recursive: true }));

const packages = ['a', 'b', 'c'].map((name): RepodataPackage => {
  const piece = Buffer.from(`<package name="${name}">\n</package>\n`);
  const fragments = identifyPieces({
    pkgid: name.repeat(64),
    primary: piece,
    filelists: piece,
    other: piece,
    locationOffset: piece.indexOf('\n') + 1,
  });
  return { fragments, location: { href: `Packages/${name}/${name}-1-1.noarch.rpm` } };
});
const extra = [
  { type: 'group', name: 'comps.xml', content: Buffer.from('<comps/>'), compression: 'none' as const },
];

function contentOf(directory: string): Map<string, string> {
  const repodata = join(directory, 'repodata');
  return new Map(
    readdirSync(repodata)
      .sort()
      .map((name) => [name, readFileSync(join(repodata, name), 'latin1')]),
  );
}

test('repodata that are linked are those that would be written, and their files are the same', async () => {
  const first = join(root, 'first');
  const written = await writeRepodata({}, first, packages, { timestamp: 1, extra });
  const earlier = noteRepodata(first, written, join(first, 'repodata'));
  assert.deepEqual(
    earlier.files.map(({ record }) => record.type),
    ['primary', 'filelists', 'other'],
  );
  const options = {
    timestamp: 2,
    extra: [
      {
        type: 'group',
        name: 'comps.xml',
        content: Buffer.from('<comps></comps>'),
        compression: 'none' as const,
      },
    ],
  };
  const linked = await linkRepodata(join(root, 'linked'), earlier, options);
  const anew = await writeRepodata({}, join(root, 'anew'), packages, options);
  assert.deepEqual(linked, anew);
  assert.deepEqual(contentOf(join(root, 'linked')), contentOf(join(root, 'anew')));
  for (const { record, inode } of earlier.files) {
    assert.equal(statSync(join(root, 'linked', record.href)).ino, inode);
  }
});

const spoilings: readonly { readonly what: string; readonly spoil: (file: string) => void }[] = [
  { what: 'is longer', spoil: (file) => appendFileSync(file, 'x') },
  { what: 'was written at another time', spoil: (file) => utimesSync(file, 1, 1) },
  { what: 'is gone', spoil: (file) => rmSync(file) },
];

for (const { what, spoil } of spoilings) {
  test(`nothing is linked, and nothing left, where a file ${what}`, async () => {
    const first = join(root, what);
    const written = await writeRepodata({}, first, packages, { timestamp: 1 });
    const earlier = noteRepodata(first, written, join(first, 'repodata'));
    spoil(join(first, earlier.files[1]?.record.href ?? ''));
    assert.equal(await linkRepodata(join(root, `not ${what}`), earlier, { timestamp: 2 }), null);
    assert.deepEqual(readdirSync(join(root, `not ${what}`, 'repodata')), []);
  });
}

test('nothing is linked where another file of the same size and time has its name', async () => {
  const first = join(root, 'replaced');
  const written = await writeRepodata({}, first, packages, { timestamp: 1 });
  const earlier = noteRepodata(first, written, join(first, 'repodata'));
  const [file] = earlier.files;
  assert.ok(file);
  const others = { ...earlier, files: earlier.files.map((file) => ({ ...file, inode: file.inode + 1 })) };
  assert.equal(await linkRepodata(join(root, 'other'), others, { timestamp: 2 }), null);
});

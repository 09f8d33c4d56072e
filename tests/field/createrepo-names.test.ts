import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { SaxesParser } from 'saxes';
import { openCreaterepoCaches } from '../../src/cache/createrepo-caches.ts';
import { createrepo } from '../../src/rpm/createrepo/createrepo.ts';
import { sharedPath } from '../shared.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-names-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const rpm = readFileSync(sharedPath('field-cases', '03-redirect', 'base', 'app-1.0-1.x86_64.rpm'));

const odd: readonly (string | Buffer)[] = [
  'new\nline.rpm',
  'tab\tname.rpm',
  'return\rname.rpm',
  'a&b<c>"d\'.rpm',
  'back\\slash.rpm',
  'per%20cent#?.rpm',
  ' lead.rpm',
  '\ufffd.rpm',
  'umlaut-\u00fc.rpm',
  Buffer.from('bad\xffname.rpm', 'latin1'),
  Buffer.from('sub\xfe/below.rpm', 'latin1'),
  Buffer.from('sub\xfe/\xff.rpm', 'latin1'),
];

function writeTree(name: string, names: readonly (string | Buffer)[]): string {
  const directory = join(folder, name);
  mkdirSync(directory);
  for (const name of names) {
    const path = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name)]);
    const slash = path.lastIndexOf('/');
    if (slash > directory.length) mkdirSync(path.subarray(0, slash), { recursive: true });
    writeFileSync(path, rpm);
  }
  return directory;
}

/** The hrefs of a primary.xml as an XML parser reads them. */
function hrefsOf(directory: string): string[] {
  const file = readdirSync(join(directory, 'repodata')).find((name) => name.endsWith('primary.xml.gz'));
  assert.ok(file);
  const hrefs: string[] = [];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    if (name === 'location') hrefs.push(attributes['href'] ?? '');
  });
  parser.write(gunzipSync(readFileSync(join(directory, 'repodata', file))).toString()).close();
  return hrefs.toSorted();
}

for (const workers of [0, 2]) {
  test(`files with odd names are listed as createrepo_c lists them, with ${workers} threads`, async () => {
    const names = workers === 0 ? odd : [...odd, ...Array.from({ length: 40 }, (_, at) => `plain-${at}.rpm`)];
    const ours = writeTree(`ours-${workers}`, names);
    const theirs = join(folder, `theirs-${workers}`);
    const copied = spawnSync('cp', ['-r', ours, theirs]);
    assert.equal(copied.status, 0);
    const made = spawnSync('createrepo_c', ['-q', '--no-database', '--compress-type=gz', theirs]);
    assert.equal(made.status, 0, made.stderr.toString());
    const cacheDirectory = join(folder, `cache-${workers}`);
    for (const reused of [0, names.length]) {
      using caches = await openCreaterepoCaches(cacheDirectory, new Date());
      const result = await createrepo(
        { now: new Date(), caches },
        { directory: ours, compression: 'gzip', workers },
      );
      assert.equal(result.packages, names.length);
      assert.equal(result.reused, reused);
      assert.deepEqual(hrefsOf(ours), hrefsOf(theirs));
    }
  });
}

test('a name that XML cannot hold is refused, and left out where broken packages are', async () => {
  const directory = writeTree('controls', ['ctl\x01x.rpm', 'fine.rpm']);
  const context = { now: new Date() };
  await assert.rejects(createrepo(context, { directory }), { code: 'repodata.location_invalid' });
  const result = await createrepo(context, { directory, skipBroken: true, compression: 'gzip' });
  assert.deepEqual(
    result.skipped.map(({ href, code }) => [href, code]),
    [['ctl\x01x.rpm', 'repodata.location_invalid']],
  );
  assert.deepEqual(hrefsOf(directory), ['fine.rpm']);
});

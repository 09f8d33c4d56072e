import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { locatePackage, type Leads } from '../../../src/composer/repositories/locate-package.ts';
import { parseHostList } from '../../../src/upstream/http/host-list.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'locate-package-')));
after(() => rmSync(folder, { recursive: true }));

const repository = join(folder, 'repository');
const elsewhere = join(folder, 'elsewhere');
mkdirSync(join(repository, 'p'), { recursive: true });
mkdirSync(elsewhere);
for (const name of ['a.rpm', 'b.rpm']) writeFileSync(join(repository, 'p', name), name);
writeFileSync(join(elsewhere, 'c.rpm'), 'c');
symlinkSync(join(elsewhere, 'c.rpm'), join(repository, 'p/c.rpm'));
symlinkSync(join(repository, 'p'), join(repository, 'q'));

function leadsOf(repoRoots: readonly string[]): Leads & { readonly directories: Map<string, string> } {
  return { repoRoots, targetDirs: [], hosts: parseHostList([]), directories: new Map() };
}

function locate(leads: Leads, href: string): string {
  const found = locatePackage({ repository, href, base: undefined }, leads);
  return found.kind === 'file' ? found.path : found.url;
}

test('a file beside one that was looked at lies where it would lie if it were looked at by itself', () => {
  const leads = leadsOf([repository]);
  for (const directory of ['p', 'q']) {
    for (const name of ['a.rpm', 'b.rpm']) {
      assert.equal(locate(leads, `${directory}/${name}`), join(repository, 'p', name));
    }
  }
  assert.equal(leads.directories.size, 2);
});

test('a link beside a file that was looked at leads no further than it would alone', () => {
  const leads = leadsOf([repository]);
  locate(leads, 'p/a.rpm');
  assert.throws(() => locate(leads, 'p/c.rpm'), { code: 'repo.outside' });
  const wide = leadsOf([folder]);
  locate(wide, 'p/a.rpm');
  assert.equal(locate(wide, 'p/c.rpm'), join(elsewhere, 'c.rpm'));
});

test('a link says nothing of the directory that it lies in', () => {
  const leads = leadsOf([folder]);
  assert.equal(locate(leads, 'p/c.rpm'), join(elsewhere, 'c.rpm'));
  assert.equal(locate(leads, 'p/a.rpm'), join(repository, 'p/a.rpm'));
});

test('a file that is not there is missed in a directory that was looked at, too', () => {
  const leads = leadsOf([repository]);
  locate(leads, 'p/a.rpm');
  assert.throws(() => locate(leads, 'p/gone.rpm'), { code: 'repo.file_missing' });
});

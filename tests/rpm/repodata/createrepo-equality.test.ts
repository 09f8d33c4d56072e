import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readRpmFile } from '../../../src/rpm/header/read-rpm-header.ts';
import { makeFragments } from '../../../src/rpm/repodata/make-fragments.ts';
import { writeRepodata } from '../../../src/rpm/repodata/write-repodata.ts';
import { sharedPath } from '../../shared.ts';
import { unpack } from './unpack.ts';

const root = mkdtempSync(join(tmpdir(), 'createrepo-equality-'));
after(() => rmSync(root, { recursive: true }));

function metadataOf(directory: string, type: string): string {
  const repomd = readFileSync(join(directory, 'repodata/repomd.xml'), 'utf8');
  const [, href] = new RegExp(`<data type="${type}">[^]*?<location href="([^"]+)"`).exec(repomd) ?? [];
  assert.ok(href);
  return unpack(join(directory, href))
    .toString('utf8')
    .replaceAll(/&#x([0-9A-F]{2,6});/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .trimEnd();
}

/** Every package with its elements, one line each, so that a difference is shown and not just found. */
function packagesOf(xml: string): string[] {
  return xml.split(/(?=<package )/);
}

async function compare(name: string, rpms: string): Promise<number> {
  const ours = join(root, `${name}-ours`);
  const theirs = join(root, `${name}-theirs`);
  const files = readdirSync(rpms, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.rpm'),
  );
  const packages = files.map((href) => {
    const file = readRpmFile(join(rpms, href));
    return { location: { href }, fragments: makeFragments(file.header, file) };
  });
  await writeRepodata({}, ours, packages, { timestamp: 1 });
  mkdirSync(theirs);
  execFileSync('createrepo_c', ['--quiet', '--no-database', '--outputdir', theirs, rpms]);
  for (const type of ['primary', 'filelists', 'other']) {
    const mine = packagesOf(metadataOf(ours, type));
    for (const [index, expected] of packagesOf(metadataOf(theirs, type)).entries()) {
      assert.equal(mine[index], expected, `${type} of ${name}`);
    }
    assert.equal(mine.length, files.length + 1);
  }
  return files.length;
}

describe('repodata equals that of createrepo_c, element for element and in its order', () => {
  for (const tree of ['odcs/repo', 'pungi/repos', 'pungi/koji-topdir', 'modules/fixture']) {
    test(`for the packages of ${tree}`, async () => {
      assert.ok((await compare(tree.replace('/', '-'), sharedPath(tree))) >= 5);
    });
  }

  test('for 2,000 generated packages and their sources', async () => {
    const universe = join(root, 'universe');
    const options = ['--packages', '2000', '--seed', '11', '--rpms', '--sources', '--out', universe];
    execFileSync('python3', [sharedPath('bench/gen_repo.py'), ...options]);
    assert.ok((await compare('generated', join(universe, 'rpms'))) > 2000);
  });
});

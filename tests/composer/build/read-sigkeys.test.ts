import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PlacingThread } from '../../../src/composer/build/placing-thread.ts';
import { readRpmFile } from '../../../src/rpm/header/read-rpm-header.ts';
import { sigkeyOf } from '../../../src/rpm/header/sigkey.ts';
import { sharedPath } from '../../shared.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-sigkeys-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const repository = sharedPath('odcs', 'repo');
const rpms = readdirSync(repository, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.rpm'))
  .map((name) => join(repository, name));

test('sigkeys are read in another thread, in the order they are asked for', async () => {
  await using thread = new PlacingThread();
  const many = Array.from({ length: 200 }, (_, at) => rpms[at % rpms.length] ?? '');
  const expected = many.map((path) => sigkeyOf(readRpmFile(path, { pkgid: 'unused' }).header));
  const { user } = process.threadCpuUsage();
  assert.deepEqual(await thread.readSigkeys(many), expected);
  assert.ok(process.threadCpuUsage().user - user < 500_000);
});

test('an RPM that cannot be read is told with its code and place, and the thread goes on', async () => {
  await using thread = new PlacingThread();
  const broken = join(folder, 'broken.rpm');
  writeFileSync(broken, 'nothing of the kind');
  await assert.rejects(thread.readSigkeys([broken]), (error: unknown) => {
    assert.ok(error instanceof Error && 'code' in error && 'where' in error);
    assert.match(String(error.code), /^rpm\./);
    assert.match(String(error.where), /broken\.rpm/);
    return true;
  });
  assert.equal((await thread.readSigkeys(rpms.slice(0, 1))).length, 1);
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ReactorError } from '../../src/model/errors.ts';
import { checkRepoAccess, resolveRepoFile } from '../../src/upstream/repo-access.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'odcs-repo-access-')));
after(() => rmSync(root, { recursive: true }));
const repository = join(root, 'repo');
mkdirSync(join(repository, 'Packages'), { recursive: true });
mkdirSync(join(root, 'pool'));
writeFileSync(join(repository, 'Packages', 'ed.rpm'), 'ed');
writeFileSync(join(root, 'pool', 'sed.rpm'), 'sed');
symlinkSync('../../pool/sed.rpm', join(repository, 'Packages', 'sed.rpm'));
symlinkSync('/etc/passwd', join(repository, 'Packages', 'passwd.rpm'));
symlinkSync('repo', join(root, 'link'));

function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ReactorError && error.code === code;
}

test('a file of a repository is found, also through a link that stays inside', async () => {
  assert.equal(
    await resolveRepoFile(repository, 'Packages/ed.rpm', []),
    join(repository, 'Packages', 'ed.rpm'),
  );
});

test('a link out of the repository passes only where it leads to an allowed root', async () => {
  await assert.rejects(resolveRepoFile(repository, 'Packages/sed.rpm', []), withCode('repo.outside'));
  assert.equal(await resolveRepoFile(repository, 'Packages/sed.rpm', [root]), join(root, 'pool', 'sed.rpm'));
});

for (const href of ['../pool/sed.rpm', '/etc/passwd', 'Packages/../../pool/sed.rpm', 'Packages/passwd.rpm']) {
  test(`metadata that refers to ${href} is refused`, async () => {
    await assert.rejects(resolveRepoFile(repository, href, []), withCode('repo.outside'));
  });
}

test('a file that is not there is told apart from one that may not be read', async () => {
  await assert.rejects(resolveRepoFile(repository, 'Packages/gone.rpm', []), withCode('repo.file_missing'));
});

test('a directory is answered with its links resolved', async () => {
  const policy = { repoRoots: [root], repoHosts: [], isLoopbackClient: false };
  assert.equal(await checkRepoAccess(join(root, 'link'), policy), repository);
});

test('a root that is itself a link holds what lies behind it', async () => {
  const policy = { repoRoots: [join(root, 'link')], repoHosts: [], isLoopbackClient: false };
  assert.equal(await checkRepoAccess(join(root, 'link', 'Packages'), policy), join(repository, 'Packages'));
  await assert.rejects(checkRepoAccess(join(root, 'pool'), policy), withCode('repo.not_allowed'));
});

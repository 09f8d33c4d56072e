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

test('a file of a repository is found, also through a link that stays inside', () => {
  assert.equal(
    resolveRepoFile(repository, 'Packages/ed.rpm', { repoRoots: [repository], closed: [] }),
    join(repository, 'Packages', 'ed.rpm'),
  );
});

const outward = [
  '../pool/sed.rpm',
  '/etc/passwd',
  'Packages/../../pool/sed.rpm',
  'Packages/passwd.rpm',
  'Packages/sed.rpm',
];
for (const href of outward) {
  test(`metadata that lead to ${href} are refused where no root holds it`, () => {
    assert.throws(
      () => resolveRepoFile(repository, href, { repoRoots: [repository], closed: [] }),
      withCode('repo.outside'),
    );
  });
}

test('what leaves the repository passes where its asker may read', () => {
  const sed = join(root, 'pool', 'sed.rpm');
  for (const href of ['../pool/sed.rpm', 'Packages/sed.rpm']) {
    assert.equal(resolveRepoFile(repository, href, { repoRoots: [root], closed: [] }), sed);
  }
  // Without roots only people on this machine name local repositories, and they may read any.
  assert.equal(resolveRepoFile(repository, '../pool/sed.rpm', { repoRoots: [], closed: [] }), sed);
  assert.throws(
    () => resolveRepoFile(repository, 'Packages/sed.rpm', { repoRoots: [], closed: [] }),
    withCode('repo.outside'),
  );
});

test('what lies in closed directories is for repositories that lie there themselves', () => {
  const closed = [join(root, 'pool')];
  for (const href of ['../pool/sed.rpm', 'Packages/sed.rpm']) {
    assert.throws(
      () => resolveRepoFile(repository, href, { repoRoots: [root], closed }),
      withCode('repo.outside'),
    );
  }
  assert.equal(
    resolveRepoFile(join(root, 'pool'), 'sed.rpm', { repoRoots: [root], closed }),
    join(root, 'pool', 'sed.rpm'),
  );
});

test('a file that is not there is told apart from one that may not be read, and may come', () => {
  assert.throws(() => resolveRepoFile(repository, 'Packages/gone.rpm', { repoRoots: [root], closed: [] }), {
    code: 'repo.file_missing',
    fate: 'retry',
  });
  assert.throws(
    () => resolveRepoFile(repository, '../../nobody/gone.rpm', { repoRoots: [root], closed: [] }),
    withCode('repo.outside'),
  );
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

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readGitFolder } from '../../src/upstream/git.ts';

function makeRepository(
  context: TestContext,
  files: Record<string, string>,
): { url: string; commit: string } {
  const url = mkdtempSync(join(tmpdir(), 'git-test-'));
  context.after(() => rmSync(url, { recursive: true }));
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: url,
      encoding: 'utf8',
    });
  git('init', '--quiet', '--initial-branch=main');
  mkdirSync(join(url, 'below'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(url, name), text);
  symlinkSync('/etc/passwd', join(url, 'link.yaml'));
  git('add', '.');
  git('commit', '--quiet', '-m', 'one');
  return { url, commit: git('rev-parse', 'HEAD').trim() };
}

test('files of the top directory are read at a commit, later commits do not matter', async (context) => {
  const { url, commit } = makeRepository(context, { 'a.yaml': 'a\n', 'b.txt': 'b', 'below/c.yaml': 'c' });
  writeFileSync(join(url, 'a.yaml'), 'changed');
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@e', 'commit', '--quiet', '-am', 'two'], {
    cwd: url,
  });
  const allowed = [tmpdir()];
  const folder = await readGitFolder({ allowed }, { url, revision: commit, suffix: '.yaml' });
  assert.deepEqual(folder, { commit, files: [{ path: 'a.yaml', text: 'a\n' }] });
  const branch = await readGitFolder(
    { allowed },
    { url: `file://${url}`, revision: 'main', suffix: '.yaml' },
  ).catch(String);
  assert.match(String(branch), /may not be read/);
  const main = await readGitFolder(
    { allowed: [`file://${url}`] },
    { url: `file://${url}`, revision: 'main', suffix: '.yaml' },
  );
  assert.equal(main.files[0]?.text, 'changed');
  assert.notEqual(main.commit, commit);
});

test('what git cannot read is named by its cause', async (context) => {
  const { url, commit } = makeRepository(context, { 'a.yaml': 'a' });
  const read = (
    where: string,
    revision: string,
    allowed = ['/', url, 'http://127.0.0.1:1'],
  ): Promise<unknown> => readGitFolder({ allowed }, { url: where, revision, suffix: '.yaml' });
  await assert.rejects(read(url, '0'.repeat(40)), { code: 'git.revision_unknown' });
  await assert.rejects(read('http://127.0.0.1:1/x.git', commit), { code: 'git.unreachable', fate: 'retry' });
  await assert.rejects(read(url, commit, []), { code: 'git.url_refused' });
  await assert.rejects(read(`${url}-other`, commit, [url]), { code: 'git.url_refused' });
  for (const bad of ['ext::sh -c x', `${url}/../x`, '--upload-pack=x', 'relative/path']) {
    await assert.rejects(read(bad, commit, [bad, url]), { code: 'git.url_refused' });
  }
  for (const bad of ['--exec=x', 'a..b', 'a b', '', ':x']) {
    await assert.rejects(read(url, bad), { code: 'git.revision_invalid' });
  }
});

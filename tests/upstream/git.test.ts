import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ReactorError } from '../../src/model/errors.ts';
import { readGitFolder, readGitTree, resolveGitRevision } from '../../src/upstream/git.ts';
import { serve } from './http/test-server.ts';

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

test('a branch is resolved to its commit, a hash is what it is, and nothing of elsewhere is asked', async (context) => {
  const { url, commit } = makeRepository(context, { 'a.yaml': 'a\n' });
  const allowed = [tmpdir()];
  for (const revision of ['main', 'HEAD', 'refs/heads/main', commit]) {
    assert.equal(await resolveGitRevision({ allowed }, { url, revision }), commit);
  }
  const unknown = resolveGitRevision({ allowed }, { url, revision: 'gone' });
  await assert.rejects(unknown, { code: 'git.revision_unknown' });
  const elsewhere = { url: 'https://example.org/a.git', revision: 'main' };
  await assert.rejects(resolveGitRevision({ allowed }, elsewhere), { code: 'git.url_refused' });
  assert.equal(await resolveGitRevision({ allowed }, { ...elsewhere, revision: commit }), commit);
});

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

test('what lies beside an allowed URL is refused however it is written', async () => {
  const allowed = ['http://127.0.0.1:1/allowed', '/srv/allowed/'];
  for (const url of [
    'http://127.0.0.1:1/allowed/%2e%2e/secret.git',
    'http://127.0.0.1:1/allowed/%2E./secret.git',
    'http://127.0.0.1:1/allowed/%252e%252e/secret.git',
    'http://127.0.0.1:1/allowed%2f..%2fsecret.git',
    'http://127.0.0.1:1/allowed/a\\..\\..\\secret.git',
    'http://127.0.0.1:1/allowed//../secret.git',
    'http://127.0.0.1:1/allowed/x?../secret.git',
    'http://127.0.0.1:1/allowed-not/secret.git',
    'http://127.0.0.1:1/allowed/%zz.git',
    '/srv/allowed/%2e%2e/secret',
    '/srv/allowed/./../secret',
  ]) {
    const wanted = { url, revision: 'main', suffix: '.yaml' };
    await assert.rejects(readGitFolder({ allowed }, wanted), { code: 'git.url_refused' }, url);
  }
  const inside = { url: 'http://127.0.0.1:1/allowed/a%2Bb.git', revision: 'main', suffix: '.yaml' };
  await assert.rejects(readGitFolder({ allowed }, inside), { code: 'git.unreachable' });
});

test('a redirect of an allowed git server is not followed', async (context) => {
  const secret = await serve(context, (_, response) => response.writeHead(404).end());
  const server = await serve(context, (request, response) =>
    response.writeHead(302, { location: `${secret.url}${request.url ?? ''}` }).end(),
  );
  const wanted = { url: `${server.url}/x.git`, revision: 'main', suffix: '.yaml' };
  await assert.rejects(readGitFolder({ allowed: [server.url] }, wanted), { code: 'git.unreachable' });
  assert.ok(server.asked.length > 0);
  assert.deepEqual(secret.asked, []);
});

test('a git server that says nothing is given up', async (context) => {
  const server = await serve(context, () => undefined);
  const wanted = { url: `${server.url}/x.git`, revision: 'main', suffix: '.yaml' };
  const silent = { allowed: [server.url], timeoutMilliseconds: 500 };
  await assert.rejects(readGitFolder(silent, wanted), { code: 'git.unreachable', message: /takes too long/ });
});

test('all files below a directory are read at a commit, bytes as they are, links left out', async (context) => {
  const { url, commit } = makeRepository(context, {
    'a.conf': 'a',
    'below/b.conf': 'b\n',
    'below/ž.bin': '\u0000\n',
  });
  const read = (directory: string) => readGitTree({ allowed: [url] }, { url, revision: commit, directory });
  const texts = async (directory: string) =>
    Object.fromEntries(
      Array.from((await read(directory)).files, ([path, bytes]) => [path, bytes.toString()]),
    );
  assert.equal((await read('')).commit, commit);
  assert.deepEqual(await texts(''), { 'a.conf': 'a', 'below/b.conf': 'b\n', 'below/ž.bin': '\0\n' });
  assert.deepEqual(await texts('./below/'), { 'b.conf': 'b\n', 'ž.bin': '\0\n' });
  assert.deepEqual(await texts('nowhere'), {});
});

test('no error shows the password of a URL, and an aborted reading ends with the reason', async () => {
  const url = 'http://bot:hunter2@127.0.0.1:1/x.git';
  const wanted = { url, revision: 'main', directory: '' };
  const unreachable = await readGitTree({ allowed: [url] }, wanted).catch((error: unknown) => error);
  const refused = await readGitTree({ allowed: [] }, wanted).catch((error: unknown) => error);
  for (const error of [unreachable, refused]) {
    assert.ok(error instanceof ReactorError);
    assert.match(error.code, /^git\.(?:unreachable|url_refused)$/);
    assert.doesNotMatch(`${error.message} ${error.where} ${error.hint}`, /hunter2/);
  }
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  await assert.rejects(readGitTree({ allowed: [url], signal }, wanted), reason);
});

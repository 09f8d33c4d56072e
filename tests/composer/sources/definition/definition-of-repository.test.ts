import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readNamedDefinition } from '../../../../src/composer/sources/definition/read-named-definition.ts';
import { ReactorError } from '../../../../src/model/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'definition-git-'));
after(() => rmSync(folder, { recursive: true }));
const url = join(folder, 'definitions');
mkdirSync(join(url, 'composes/eln-files'), { recursive: true });

function git(...args: string[]): string {
  const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
  return execFileSync('git', [...who, ...args], { cwd: url, encoding: 'utf8' }).trim();
}

/** Commits the definition with a variant of this name; returns the hash. */
function commit(variant: string, ...options: string[]): string {
  writeFileSync(
    join(url, 'composes/eln.yaml'),
    `version: 1
name: eln
release: { name: Product, short: Product, version: "1" }
arches: [x86_64]
inputs: { koji: { tags: [eln] } }
variants:
  ${variant}: { extra_files: [{ files: [eln-files/EULA] }] }
`,
  );
  writeFileSync(join(url, 'composes/eln-files/EULA'), 'be kind\n');
  git('add', '.');
  git('commit', '--quiet', '-m', variant, ...options);
  return git('rev-parse', 'HEAD');
}

git('init', '--quiet', '--initial-branch=main');
const settings = {
  definitions_dir: '',
  git_allowed_urls: [],
  definition_urls: { eln: { url, path: 'composes' } },
};

async function variantsAt(revision: string) {
  const found = await readNamedDefinition(settings, `eln#${revision}`, new AbortController().signal);
  const file = Buffer.from(found.files.read('eln-files/EULA') ?? '').toString();
  return { commit: found.commit, variants: [...found.definition.variants.keys()], file };
}

test('a definition at a commit is that of the commit with its files, and a branch shows its hash', async () => {
  const first = commit('BaseOS');
  const second = commit('Server');
  const file = 'be kind\n';
  assert.deepEqual(await variantsAt(first), { commit: first, variants: ['BaseOS'], file });
  assert.deepEqual(await variantsAt('main'), { commit: second, variants: ['Server'], file });
});

test('a commit that a forced push took away is refused, and the branch shows the new one', async () => {
  const gone = commit('Gone');
  const kept = commit('Kept', '--amend');
  git('reflog', 'expire', '--expire=now', '--all');
  git('gc', '--quiet', '--prune=now');
  assert.equal((await variantsAt('main')).commit, kept);
  await assert.rejects(
    variantsAt(gone),
    (error) => error instanceof ReactorError && error.code === 'git.revision_unknown',
  );
});

test('a repository that cannot be reached is tried again later, one that nobody named never', async () => {
  renameSync(url, `${url}.away`);
  try {
    await assert.rejects(
      variantsAt('main'),
      (error) => error instanceof ReactorError && error.code === 'git.unreachable' && error.fate === 'retry',
    );
  } finally {
    renameSync(`${url}.away`, url);
  }
  await assert.rejects(readNamedDefinition(settings, 'enl#main', new AbortController().signal), {
    code: 'definition.unknown',
    message: 'There is no definition "enl". Did you mean "eln"?',
  });
});

test('a link in the repository that leads elsewhere is no file of the definition', async () => {
  commit('Linked');
  rmSync(join(url, 'composes/eln-files/EULA'));
  execFileSync('ln', ['-s', '/etc/passwd', join(url, 'composes/eln-files/EULA')]);
  git('add', '.');
  git('commit', '--quiet', '-m', 'link');
  await assert.rejects(
    variantsAt('main'),
    (error) => error instanceof ReactorError && /no file eln-files\/EULA beside/.test(error.message),
  );
});

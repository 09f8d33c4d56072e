import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Compose } from '../../../../src/model/compose-json.ts';
import { defaultRequest } from '../../../default-request.ts';
import { universe } from '../../main/recorded-vectors.ts';
import { openTestComposer } from '../../open-test-composer.ts';
import { makeConfigurationRepository, startMainHub, vectorOf } from './recorded-configuration.ts';

const hub = await startMainHub({ after });
const repository = makeConfigurationRepository({ after });
const plain = await openTestComposer();
const profile = join(plain.folder, 'koji.conf');
writeFileSync(profile, `[fixture]\nserver = ${hub.url}\ntopdir = ${join(universe, 'koji-topdir')}\n`);
const composer = await openTestComposer({
  koji_profile: 'fixture',
  koji_config: profile,
  raw_config_urls: {
    fixture: { url: repository.url, config_filename: 'fixture.conf', path: 'configs' },
  },
});
after(async () => {
  await composer[Symbol.asyncDispose]();
  await plain[Symbol.asyncDispose]();
});
const vector = vectorOf('two-variants');

function ask(revision: string): Promise<Compose> {
  const source = [`fixture#${revision}`];
  return composer.compose({ ...defaultRequest, sourceType: 'raw_config', source, flags: ['no_reuse'] });
}

function git(...args: string[]): void {
  execFileSync('git', ['-C', repository.url, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
}

test('a configuration that was force-pushed away is refused by its hash, and its branch shows the new one', async () => {
  repository.commit(vector);
  const gone = repository.commit(vector, (text) => `${text}# to be replaced\n`);
  git('reset', '--quiet', '--hard', 'HEAD~1');
  const now = repository.commit(vector, (text) => `${text}# instead\n`);
  git('reflog', 'expire', '--expire=now', '--all');
  git('gc', '--quiet', '--prune=now');
  const refused = await ask(gone);
  assert.equal(refused.state, 'failed');
  assert.match(refused.stateReason ?? '', new RegExp(`The git repository has no commit "${gone}"`));
  const made = await ask('main');
  assert.deepEqual([made.state, made.source], ['done', `fixture#${now}`], made.stateReason ?? '');
});

test('a repository that cannot be reached has the compose tried again, and says so where no attempt is left', async () => {
  const commit = repository.commit(vector, (text) => `${text}# never read before\n`);
  const { id } = await composer.insert({
    ...defaultRequest,
    sourceType: 'raw_config',
    source: [`fixture#${commit}`],
  });
  renameSync(repository.url, `${repository.url}.away`);
  try {
    await assert.rejects(composer.run(id, { isLast: false }), { code: 'git.unreachable', fate: 'retry' });
    const failed = await ask(commit);
    assert.equal(failed.state, 'failed');
    assert.match(failed.stateReason ?? '', /The git repository cannot be read: .*Check the URL/s);
  } finally {
    renameSync(`${repository.url}.away`, repository.url);
  }
  assert.equal((await composer.run(id, { number: 2 })).state, 'done');
});

test('a variant that swallows everything leaves the others their trees, with repositories of nothing', async () => {
  const commit = repository.commit(
    vector,
    (text) =>
      `${text}additional_packages = [("^BaseOS$", {"*": ["*"]})]\nvariant_as_lookaside = [("AppStream", "BaseOS")]\n`,
  );
  const { id, state, stateReason } = await ask(commit);
  assert.equal(state, 'done', stateReason ?? '');
  const top = join(composer.targetDir, `odcs-${id}`, 'compose');
  const rpms = JSON.parse(readFileSync(join(top, 'metadata/rpms.json'), 'utf8'));
  assert.deepEqual(Object.keys(rpms.payload.rpms), ['BaseOS']);
  for (const tree of ['AppStream/x86_64/os', 'AppStream/source/tree']) {
    assert.ok(readdirSync(join(top, tree, 'repodata')).includes('repomd.xml'), tree);
  }
});

test('hostile names in comps are names of groups, in the metadata and nowhere else', async () => {
  const names = [
    '../../../../evil',
    '/etc/cron.d/evil',
    '$(touch evil)',
    '&lt;/comps&gt;&lt;evil&gt;',
    '__proto__',
  ];
  const groups = names.map(
    (name) =>
      `<group><id>${name}</id><name>${name}</name><packagelist><packagereq>m-bash</packagereq><packagereq>${name}</packagereq></packagelist></group>`,
  );
  const comps = `<comps>${groups.join('')}</comps>`;
  const variants =
    '<variants><variant id="Server" name="Server" type="variant"><arches><arch>x86_64</arch></arches></variant></variants>';
  const files = { ...vector.files, 'comps.xml': comps, 'variants.xml': variants };
  const before = readdirSync(composer.folder, { recursive: true, encoding: 'utf8' });
  const { id, state, stateReason } = await ask(repository.commit({ ...vector, files }));
  assert.equal(state, 'done', stateReason ?? '');
  const made = readdirSync(composer.folder, { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    made.filter((path) => !before.includes(path) && path.includes('evil')),
    [],
  );
  const repodata = join(composer.targetDir, `odcs-${id}/compose/Server/x86_64/os/repodata`);
  const file = readdirSync(repodata).find((name) => name.endsWith('-comps.xml')) ?? '';
  const written = readFileSync(join(repodata, file), 'utf8');
  for (const name of names) assert.ok(written.includes(`<id>${name}</id>`), name);
});

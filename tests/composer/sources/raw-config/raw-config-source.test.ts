import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import type { Compose } from '../../../../src/model/compose-json.ts';
import type { ComposeRequest } from '../../../../src/model/compose.ts';
import { thinOnPostgresql } from '../../../database/open-test-database.ts';
import { defaultRequest } from '../../../default-request.ts';
import type { MainVector } from '../../main/recorded-vectors.ts';
import { readVectors, universe } from '../../main/recorded-vectors.ts';
import { compareRecorded } from '../../main/compare-recorded.ts';
import { openTestComposer } from '../../open-test-composer.ts';
import {
  makeConfigurationRepository,
  requestOfRecord,
  startMainHub,
  vectorOf,
} from './recorded-configuration.ts';

const hub = await startMainHub({ after });
const repository = makeConfigurationRepository({ after });
const plain = await openTestComposer();
const profile = join(plain.folder, 'koji.conf');
writeFileSync(profile, `[fixture]\nserver = ${hub.url}\ntopdir = ${join(universe, 'koji-topdir')}\n`);
const entry = { url: repository.url, config_filename: 'fixture.conf', path: 'configs' };
const composer = await openTestComposer({
  koji_profile: 'fixture',
  repodata_compression: 'gzip',
  koji_config: profile,
  repo_roots: [universe],
  raw_config_urls: {
    fixture: entry,
    pinned: { ...entry, commit: repository.commit(vectorOf('two-variants')) },
    wrapped: { ...entry, raw_config_wrapper: '/etc/wrapper.conf' },
  },
});
after(async () => {
  await composer[Symbol.asyncDispose]();
  await plain[Symbol.asyncDispose]();
});

function ask(source: string, more: Partial<ComposeRequest> = {}): Promise<Compose> {
  return composer.compose({ ...defaultRequest, sourceType: 'raw_config', source: [source], ...more });
}

const infoSchema = z.object({
  payload: z.object({
    compose: z.record(z.string(), z.unknown()),
    release: z.unknown(),
    variants: z.unknown(),
  }),
});

/** The compose itself, or the one it reuses. */
function madeBy({ id, reusedId }: Compose): number {
  return reusedId ?? id;
}

/** Holds the packages, comps, release and variants of a compose against what was recorded. */
function checkRecorded(compose: Compose, { result }: MainVector): void {
  assert.equal(compose.state, 'done', compose.stateReason ?? '');
  const top = join(composer.targetDir, `odcs-${madeBy(compose)}`, 'compose');
  for (const [tree, recorded] of Object.entries(result.rpms)) {
    const built = readdirSync(join(top, tree, 'Packages'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.rpm'))
      .map((path) => basename(path));
    assert.deepEqual(built.sort(), recorded.map((path) => basename(path)).sort(), tree);
  }
  for (const [tree, comps] of Object.entries(result.comps)) {
    const repodata = join(top, tree, 'repodata');
    const file = readdirSync(repodata).find((name) => name.endsWith('-comps.xml')) ?? '';
    assert.equal(readFileSync(join(repodata, file), 'utf8'), comps);
  }
  const written: unknown = JSON.parse(readFileSync(join(top, 'metadata/composeinfo.json'), 'utf8'));
  const { compose: own, ...rest } = infoSchema.parse(written).payload;
  const { compose: recorded, ...wanted } = infoSchema.shape.payload.parse(
    result.metadata['composeinfo.json'],
  );
  assert.deepEqual(rest, wanted);
  assert.equal(recorded['id'], 'Fix-40-@DATE@.t.0');
  assert.equal(own['id'], `Fix-40-20261122.t.${madeBy(compose)}`);
  assert.equal(compose.pungiComposeId, own['id']);
}

/** Composes of a phase list or a repaired detection that nothing asks for here. */
const elsewhere = new Set(['skip-just-phases', 'system-release-detected-matching']);
const made = readVectors().filter(({ name, result }) => result.exit === 0 && !elsewhere.has(name));

for (const vector of thinOnPostgresql(made, { every: 8 })) {
  test(`composes the recorded configuration "${vector.name}" at a commit of its repository`, async () => {
    // A directory of the configuration has no absolute name in a repository.
    const commit = repository.commit(vector, (text) => text.replaceAll('@RUN@/', ''));
    const compose = await ask(`fixture#${commit}`, { ...requestOfRecord(vector), flags: ['no_reuse'] });
    assert.equal(compose.state, 'done', compose.stateReason ?? '');
    const top = join(composer.targetDir, `odcs-${compose.id}`);
    const found = await compareRecorded(vector, top, { date: '20261122', respin: compose.id });
    assert.equal(found, 'equal');
    assert.equal(compose.source, `fixture#${commit}`);
    assert.equal(compose.kojiEvent, vector.name.startsWith('repos-') ? null : 1000);
  });
}

test('every recorded configuration that ended well is made, but for two that nobody can ask for', () => {
  assert.equal(made.length, 38);
});

test('another request of the same content is reused, one of another release is made', async () => {
  const vector = vectorOf('two-variants');
  const first = await ask(`fixture#${repository.commit(vector)}`, { flags: ['no_reuse'] });
  const moved = repository.commit(vector, (text) => `${text}# another commit\n`);
  const again = await ask('fixture#main');
  assert.deepEqual([again.source, again.pungiComposeId], [`fixture#${moved}`, first.pungiComposeId]);
  assert.equal(again.reusedId, first.id);
  repository.commit(vector, (text) => text.replace('"40"', '"41"'));
  const other = await ask('fixture#main');
  assert.equal(other.reusedId, null);
  assert.equal(other.pungiComposeId, `Fix-41-20261122.t.${other.id}`);
});

test('the commit that the settings pin counts, whatever is asked for', async () => {
  const compose = await ask('pinned#nonsense');
  checkRecorded(compose, vectorOf('two-variants'));
  assert.match(compose.source, /^pinned#[0-9a-f]{40}$/);
});

const refused: Readonly<Record<string, readonly [change: string, RegExp]>> = {
  'installer images': [
    'buildinstall_method = "lorax"',
    /not made by this service: buildinstall_method \(installer/,
  ],
  'two things at once': [
    'osbuild = {"^.*$": [{"name": "a", "distro": "f", "image_types": ["qcow2"]}]}\ncreaterepo_deltas = [("^.*$", {"*": True})]',
    /osbuild \(.*; createrepo_deltas \(/,
  ],
  'extra files of elsewhere': [
    'extra_files = [("^.*$", {"*": [{"scm": "cvs", "repo": "x", "file": "a"}]})]',
    /extra_files of the scm "cvs" are not fetched/,
  ],
  'another Koji': ['koji_profile = "brew"', /the profile "brew"; this service reads .* "fixture"/],
  'a wrong value': ['check_deps = 3', /Configuration is not valid: .*check_deps/s],
  'another event': ['koji_event = 2000', /Koji event 2000 is in the future/],
};
for (const [what, [line, sentence]] of Object.entries(refused)) {
  test(`a configuration with ${what} is refused with a sentence`, async () => {
    const commit = repository.commit(vectorOf('two-variants'), (text) => `${text}${line}\n`);
    const compose = await ask(`fixture#${commit}`);
    assert.equal(compose.state, 'failed');
    assert.match(compose.stateReason ?? '', sentence);
  });
}

test('what is not in the repository, or beside the configuration, is refused with a sentence', async () => {
  const commit = repository.commit(vectorOf('two-variants'));
  const reasonOf = async (source: string, more: Partial<ComposeRequest> = {}) =>
    (await ask(source, more)).stateReason ?? '';
  assert.match(await reasonOf(`fixture#${'0'.repeat(40)}`), /has no commit "0{40}"/);
  assert.match(await reasonOf(`wrapped#${commit}`), /raw_config_wrapper/);
  for (const [more, named] of [
    [{ packages: ['m-bash'], lookasideRepos: ['/x'] }, 'packages, lookaside_repos'],
    [{ builds: ['m-bash-1-1'] }, 'builds'],
    [{ modules: ['m:s:1:c'], scratchModules: ['m:s:1:c'] }, 'modules, scratch_modules'],
  ] as const) {
    assert.match(
      await reasonOf(`fixture#${commit}`, more),
      new RegExp(`the request names ${named}\\.`),
      'they would not be obeyed',
    );
  }
});

for (const name of ['sigkeys-strict-ok', 'sigkeys-missing']) {
  test(`refuses packages without a signature as it was recorded of "${name}"`, async () => {
    const vector = vectorOf(name);
    const compose = await ask(`fixture#${repository.commit(vector)}`);
    assert.equal(compose.state, 'failed');
    const sentence = vector.result.errors.find((line) => line.includes('RPM(s) not found')) ?? '';
    const [first = '', ...unsigned] = sentence.slice(sentence.indexOf('RPM(s)')).split('\n');
    const keys = first.replace(/'[0-9A-F]{8}'/g, (key) => key.toLowerCase());
    const reason = compose.stateReason ?? '';
    assert.ok(reason.includes(`${[keys, ...unsigned].join('\n')} Not signed`), reason);
  });
}

test('a label that Pungi does not know is refused, another one stands in the metadata', async () => {
  const source = `fixture#${repository.commit(vectorOf('two-variants'))}`;
  assert.match((await ask(source, { label: 'Foo-1' })).stateReason ?? '', /Label in unknown format: Foo-1/);
  const compose = await ask(source, { label: 'RC-1.2', flags: ['no_reuse'] });
  const path = join(composer.targetDir, `odcs-${compose.id}`, 'compose/metadata/composeinfo.json');
  const written = infoSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).payload.compose;
  assert.equal(written['label'], 'RC-1.2');
});

test('repositories of a configuration may be absolute paths', async () => {
  const vector = vectorOf('repos-source-lists');
  const commit = repository.commit(vector, (text) => text.replaceAll('file://', ''));
  const compose = await ask(`fixture#${commit}`, { flags: ['no_reuse'] });
  const top = join(composer.targetDir, `odcs-${compose.id}`);
  assert.equal(compose.state, 'done', compose.stateReason ?? '');
  assert.equal(await compareRecorded(vector, top, { date: '20261122', respin: compose.id }), 'equal');
});

test('repositories of a configuration are read below the allowed directories only', async () => {
  const commit = repository.commit(vectorOf('repos-source-lists'), (text) =>
    text.replaceAll(universe, '/usr/share'),
  );
  assert.match((await ask(`fixture#${commit}`)).stateReason ?? '', /lies outside the allowed directories/);
});

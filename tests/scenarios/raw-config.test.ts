import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { startReactor } from '../../src/app/reactor.ts';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { compareRecorded } from '../composer/main/compare-recorded.ts';
import { universe, type MainVector } from '../composer/main/recorded-vectors.ts';
import { importRecorded } from '../composer/sources/definition/import-recorded.ts';
import {
  makeConfigurationRepository,
  requestOfRecord,
  startMainHub,
  vectorOf,
} from '../composer/sources/raw-config/recorded-configuration.ts';
import { ensurePackages } from '../services/debian-packages.ts';
import { kojiServiceConfig } from './koji-service-config.ts';

const composeSchema = z.object({
  id: z.number(),
  state_name: z.string(),
  state_reason: z.string().nullable(),
  source: z.string(),
  arches: z.string(),
  koji_event: z.number().nullable(),
  pungi_compose_id: z.string().nullable(),
  toplevel_url: z.string(),
  result_repofile: z.string(),
});
type Compose = z.infer<typeof composeSchema>;

const directory = mkdtempSync(join(tmpdir(), 'raw-config-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const definitions = join(directory, 'definitions');
mkdirSync(definitions);
const hub = await startMainHub({ after });
const repository = makeConfigurationRepository({ after });
const config = await kojiServiceConfig(
  directory,
  { server: hub.url, topdir: join(universe, 'koji-topdir') },
  {
    koji_profile: 'fixture',
    repodata_compression: 'gzip',
    repo_roots: [universe],
    definitions_dir: definitions,
    raw_config_urls: { fixture: { url: repository.url, path: 'configs', config_filename: 'fixture.conf' } },
  },
);
const reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
after(() => reactor.stop());

async function get(path: string, body?: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  const options = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await fetch(`${reactor.url}/api/1/${path}`, options);
  assert.equal(response.status, 200, path);
  return response;
}

/** Asks for a main compose and returns it once it has ended. */
async function ask(source: string, more: object = {}, type = 'raw_config'): Promise<Compose> {
  const asked = await get('composes/', { source: { type, source }, ...more });
  const { id } = composeSchema.parse(await asked.json());
  for (;;) {
    const compose = composeSchema.parse(await (await get(`composes/${id}`)).json());
    if (['done', 'failed'].includes(compose.state_name)) return compose;
    await wait(50);
  }
}

/** Compares the tree of a compose with the recorded one. */
function compareTree(vector: MainVector, { id, pungi_compose_id: name }: Compose): Promise<string> {
  const [date = ''] = /\d{8}/.exec(name ?? '') ?? [];
  return compareRecorded(vector, join(config.target_dir, `odcs-${id}`), { date, respin: id });
}

/** The lines of the packages of a compose, as its fingerprint is made of them. */
async function packagesOf({ id }: Compose): Promise<string[]> {
  const manifest = await (await get(`composes/${id}/manifest`)).text();
  return manifest.split('\n').filter((line) => line.startsWith('package\t'));
}

const linkOf = (path: string): string => readlinkSync(join(config.target_dir, path));

const vector = vectorOf('lookaside-chain');
const done = await ask(`fixture#${repository.commit(vector)}`);
const compose = join(config.target_dir, `odcs-${done.id}`, 'compose');

const names = [
  'addon-shared',
  'config-includes',
  'extra-files-ok',
  'modules-by-tag',
  'production-label-ok',
  'repos-source-lists',
];
for (const name of names) {
  test(`a request for the configuration "${name}" ends in the recorded tree and links, and so does its import`, async () => {
    const recorded = vectorOf(name);
    const commit = repository.commit(recorded, (text) => text.replaceAll('@RUN@/', ''));
    const { composeType, label } = requestOfRecord(recorded);
    const more = { compose_type: composeType, ...(label === null ? {} : { label }), flags: ['no_reuse'] };
    const compose = await ask(`fixture#${commit}`, more);
    assert.equal(compose.state_name, 'done', compose.state_reason ?? '');
    assert.equal(await compareTree(recorded, compose), 'equal');
    assert.equal(compose.toplevel_url, `${reactor.url}/composes/odcs-${compose.id}`);

    const id = compose.pungi_compose_id ?? '';
    const latest = `${composeType}/latest-${id.split('-').slice(0, 2).join('-')}`;
    for (const link of [`${composeType}/${id}`, latest, ...(label === null ? [] : [`${latest}-${label}`])]) {
      assert.equal(linkOf(link), `../odcs-${compose.id}`, link);
      const shown = await fetch(`${reactor.url}/composes/${link}/COMPOSE_ID`);
      assert.equal(await shown.text(), id, link);
    }

    await importRecorded(recorded, { folder: directory, definitions });
    const imported = await ask(name, more, 'definition');
    assert.equal(imported.state_name, 'done', imported.state_reason ?? '');
    assert.equal(await compareTree(recorded, imported), 'equal');
    const packages = await packagesOf(compose);
    assert.ok(packages.length > 0);
    assert.deepEqual(await packagesOf(imported), packages);
  });
}

test('a configuration is composed on the arches that it names, at the last event, and there is no repository file', async () => {
  assert.equal(done.state_name, 'done', done.state_reason ?? '');
  assert.deepEqual([done.arches, done.koji_event, done.result_repofile], ['aarch64 x86_64', 1000, '']);
  assert.match(done.pungi_compose_id ?? '', new RegExp(`^Fix-40-\\d{8}\\.t\\.${done.id}$`));
  assert.equal(await compareTree(vector, done), 'equal');
  const about = z.object({ source_types: z.array(z.string()) });
  assert.ok(about.parse(await (await get('about/')).json()).source_types.includes('raw_config'));
});

test('asked for again it is reused, and a branch shows its commit', async () => {
  const commit = repository.commit(vector, (text) => `${text}# the same again\n`);
  const again = await ask('fixture#main');
  assert.deepEqual(
    [again.state_name, again.source, again.pungi_compose_id, again.toplevel_url],
    ['done', `fixture#${commit}`, done.pungi_compose_id, done.toplevel_url],
  );
  assert.notEqual(again.id, done.id);
});

test('a configuration with installer images is refused with a sentence', async () => {
  const commit = repository.commit(vector, (text) => `${text}buildinstall_method = "lorax"\n`);
  const { state_name: state, state_reason: reason } = await ask(`fixture#${commit}`);
  assert.equal(state, 'failed');
  assert.match(reason ?? '', /not made by this service: buildinstall_method \(installer images need lorax/);
});

const packages = ensurePackages(['dnf']);
test(
  'dnf resolves a package of one variant with what it needs of the other',
  packages.ready ? {} : { skip: packages.reason },
  () => {
    const resolve = (...variants: string[]) =>
      spawnSync(
        'dnf',
        [
          '--assumeno',
          `--installroot=${join(directory, 'root')}`,
          `--setopt=cachedir=${join(directory, 'cache', variants.join('-'))}`,
          '--setopt=reposdir=/dev/null',
          '--releasever=40',
          '--forcearch=x86_64',
          '--nogpgcheck',
          ...variants.map((uid) => `--repofrompath=${uid},file://${join(compose, uid, 'x86_64/os')}`),
          'install',
          'm-httpd',
        ],
        { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } },
      );
    const both = resolve('AppStream', 'BaseOS');
    assert.match(both.stdout, /m-httpd +x86_64 +1:2\.4-1 +AppStream /, both.stderr);
    assert.match(both.stdout, / +BaseOS +/);
    const alone = resolve('AppStream');
    assert.match(alone.stderr, /nothing provides|conflicting requests/i);
  },
);

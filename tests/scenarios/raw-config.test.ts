import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { startReactor } from '../../src/app/reactor.ts';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { universe } from '../composer/main/recorded-vectors.ts';
import {
  makeConfigurationRepository,
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
const hub = await startMainHub({ after });
const repository = makeConfigurationRepository({ after });
const vector = vectorOf('lookaside-chain');
const config = await kojiServiceConfig(
  directory,
  { server: hub.url, topdir: join(universe, 'koji-topdir') },
  { raw_config_urls: { fixture: { url: repository.url, path: 'configs', config_filename: 'fixture.conf' } } },
);
const reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
after(() => reactor.stop());

const ofThisKoji = (text: string): string =>
  text.replace('koji_profile = "fixture"', 'koji_profile = "koji"');

async function call(path: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const options = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await fetch(`${reactor.url}/api/1/${path}`, options);
  assert.equal(response.status, 200, path);
  return response.json();
}

/** Asks for a configuration and returns the compose once it has ended. */
async function ask(source: string): Promise<Compose> {
  const { id } = composeSchema.parse(await call('composes/', { source: { type: 'raw_config', source } }));
  for (;;) {
    const compose = composeSchema.parse(await call(`composes/${id}`));
    if (['done', 'failed'].includes(compose.state_name)) return compose;
    await wait(50);
  }
}

const done = await ask(`fixture#${repository.commit(vector, ofThisKoji)}`);
const compose = join(config.target_dir, `odcs-${done.id}`, 'compose');

test('a configuration is composed into the recorded trees, on the arches that it names', async () => {
  assert.equal(done.state_name, 'done', done.state_reason ?? '');
  assert.deepEqual([done.arches, done.koji_event, done.result_repofile], ['aarch64 x86_64', 1000, '']);
  assert.match(done.pungi_compose_id ?? '', new RegExp(`^Fix-40-\\d{8}\\.t\\.${done.id}$`));
  for (const [tree, recorded] of Object.entries(vector.result.rpms)) {
    const built = readdirSync(join(compose, tree, 'Packages'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.rpm'))
      .map((path) => basename(path));
    assert.deepEqual(built.sort(), recorded.map((path) => basename(path)).sort(), tree);
  }
  const { source_types: types } = z.object({ source_types: z.array(z.string()) }).parse(await call('about/'));
  assert.ok(types.includes('raw_config'));
});

test('asked for again it is reused, and a branch shows its commit', async () => {
  const again = await ask('fixture#main');
  assert.deepEqual(
    [again.state_name, again.source, again.pungi_compose_id, again.toplevel_url],
    ['done', done.source, done.pungi_compose_id, done.toplevel_url],
  );
  assert.notEqual(again.id, done.id);
});

test('a configuration with installer images is refused with a sentence', async () => {
  const commit = repository.commit(vector, (text) => `${ofThisKoji(text)}buildinstall_method = "lorax"\n`);
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

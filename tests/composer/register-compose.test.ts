import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { z } from 'zod';
import type { ComposeRequest } from '../../src/model/compose.ts';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { defaultRequest } from '../default-request.ts';
import { startFakeCts } from '../upstream/fake-cts.ts';
import { universe } from './main/recorded-vectors.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';
import {
  makeConfigurationRepository,
  startMainHub,
  vectorOf,
} from './sources/raw-config/recorded-configuration.ts';

// Runs once: the database only keeps what the tracking service said.

const hub = await startMainHub({ after });
const repository = makeConfigurationRepository({ after });
const cts = await startFakeCts();
after(() => cts[Symbol.asyncDispose]());
const plain = await openTestComposer();
after(() => plain[Symbol.asyncDispose]());
const profile = join(plain.folder, 'koji.conf');
writeFileSync(profile, `[fixture]\nserver = ${hub.url}\ntopdir = ${join(universe, 'koji-topdir')}\n`);
const composer = await openTestComposer({
  koji_profile: 'fixture',
  koji_config: profile,
  repo_roots: [universe, plain.folder],
  raw_config_urls: {
    fixture: { url: repository.url, config_filename: 'fixture.conf', path: 'configs' },
  },
  cts_url: `${cts.url}/`,
  cts_oidc_token_url: cts.tokenUrl,
  cts_oidc_client_id: 'odcs',
  cts_oidc_client_secret: 'geheim',
});
after(() => composer[Symbol.asyncDispose]());
beforeEach(() => {
  cts.registered.length = 0;
  cts.onRegistered = () => 'answer';
});

function requestOf(commit: string, more: Partial<ComposeRequest> = {}): ComposeRequest {
  return {
    ...defaultRequest,
    sourceType: 'raw_config',
    source: [`fixture#${commit}`],
    flags: ['no_reuse'],
    ...more,
  };
}
const commit = repository.commit(
  vectorOf('two-variants'),
  (text) => `${text}cts_url = ${JSON.stringify(cts.url)}\n`,
);

const infoSchema = z.object({
  payload: z.object({ compose: z.object({ id: z.string(), respin: z.number() }) }),
});

test('a main compose gets its id from the tracking service, which learns where it lies and what it is made from', async () => {
  const done = await composer.compose(
    requestOf(commit, { parentPungiComposeIds: ['Base-1-20261101.0'], respinOf: 'Fix-40-20261101.t.1' }),
  );
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.equal(done.pungiComposeId, 'Fix-40-20261122.t.7');
  const top = join(composer.targetDir, `odcs-${done.id}`);
  assert.equal(readFileSync(join(top, 'COMPOSE_ID'), 'utf8'), 'Fix-40-20261122.t.7');
  const written: unknown = JSON.parse(readFileSync(join(top, 'compose/metadata/composeinfo.json'), 'utf8'));
  assert.equal(infoSchema.parse(written).payload.compose.respin, 7);
  assert.deepEqual(
    cts.registered.map(({ compose_url: url, parent_compose_ids: parents, respin_of: of }) => [
      url,
      parents,
      of,
    ]),
    [[`http://odcs.example.com/composes/odcs-${done.id}`, ['Base-1-20261101.0'], 'Fix-40-20261101.t.1']],
  );
});

test('an id that another compose has already is no reason to fail', async () => {
  const ended = [await composer.compose(requestOf(commit))];
  cts.registered.length = 0;
  ended.push(await composer.compose(requestOf(commit)));
  for (const { state, stateReason, pungiComposeId } of ended) {
    assert.deepEqual([state, pungiComposeId], ['done', 'Fix-40-20261122.t.7'], stateReason ?? '');
  }
});

test('an attempt that got no answer is followed by one that takes the registration up', async () => {
  for (let other = 0; other < 3; other += 1) await composer.compose(requestOf(commit));
  const { id } = await composer.insert(requestOf(commit));
  cts.onRegistered = () => 'break';
  const first = composer.run(id, { isLast: false });
  await assert.rejects(first, { code: 'upstream.unreachable' });
  assert.equal(cts.registered.length, 4);
  const done = await composer.run(id, { number: 2 });
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.equal(done.pungiComposeId, 'Fix-40-20261122.t.10');
  assert.equal(cts.registered.length, 4);
});

test('a compose that is refused, or called something else, fails', async () => {
  cts.onRegistered = () => 'refuse';
  const refused = await composer.compose(requestOf(commit));
  assert.match(refused.stateReason ?? '', /The compose tracking service .*400/);
  cts.onRegistered = () => 'rename';
  const renamed = await composer.compose(requestOf(commit));
  assert.match(
    renamed.stateReason ?? '',
    /called the compose "Other-1-20260101\.0", which is no id of Fix-40/,
  );
});

test('composes that are of no release are not registered', async () => {
  const demo = createDemoRepository(join(plain.folder, 'demo'));
  await demo.add('base', composer.now);
  const done = await composer.compose(repoRequest(demo.directory, ['ed']));
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.equal(cts.registered.length, 0);
});

test('a configuration that names another tracking service is not made here', async () => {
  const other = repository.commit(
    vectorOf('two-variants'),
    (text) => `${text}cts_url = "https://cts.example.org"\n`,
  );
  const refused = await composer.compose(requestOf(other));
  assert.match(refused.stateReason ?? '', /cts_url \(no such compose tracking service is asked/);
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createApp } from '../../src/api/app.ts';
import { storeManifest } from '../../src/database/manifests.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { fingerprintOf } from '../../src/model/fingerprint.ts';
import { command } from '../../src/commands/compose.ts';
import { runCommand } from '../commands/run-command.ts';
import { givenCompose } from './compose-rows.ts';
import { listen } from './listen.ts';
import { openTestApi } from './open-test-api.ts';
import { manifestHolding } from './manifest-holding.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

function manifestWith(release: string): string[] {
  return manifestHolding(`ed-0:1.14.1-${release}.x86_64`, `sha256:${release}`);
}

async function givenPlanned(release: string): Promise<number> {
  const lines = manifestWith(release);
  const fingerprint = fingerprintOf(lines);
  await storeManifest(api.database, fingerprint, lines);
  return givenCompose(api, {
    state: 'done',
    fingerprint,
    time_to_expire: new Date('2026-11-23T00:00:00Z'),
  });
}

test('the manifest of a compose is its sorted lines', async () => {
  const id = await givenPlanned('1');
  const { status, text, headers } = await api.call('GET', `/api/1/composes/${id}/manifest`);
  assert.equal(status, 200);
  assert.equal(text, `${manifestWith('1').join('\n')}\n`);
  assert.equal(headers.get('etag'), `"${fingerprintOf(manifestWith('1'))}"`);
});

test('?since tells what changed from one compose to another', async () => {
  const [before, after] = [await givenPlanned('1'), await givenPlanned('2')];
  const { json } = await api.call('GET', `/api/1/composes/${after}/manifest?since=${before}`);
  assert.deepEqual([json['from'], json['to']], [before, after]);
  assert.deepEqual(json['upgraded'], [
    { arch: 'x86_64', kind: 'binary', name: 'ed', from: '0:1.14.1-1', to: '0:1.14.1-2' },
  ]);
  assert.equal((await api.call('GET', `/api/1/composes/${after}/manifest?since=x`)).status, 404);
});

test('a compose that was not planned has no manifest', async () => {
  const id = await givenCompose(api);
  const { status, json } = await api.call('GET', `/api/1/composes/${id}/manifest`);
  assert.deepEqual([status, json['code']], [404, 'compose.no_manifest']);
  assert.equal((await api.call('GET', '/api/1/composes/999999/manifest')).status, 404);
});

const body = JSON.stringify({ source: { type: 'tag', source: 'f26' } });
async function dryRun(plan?: (typeof api.context)['plan']) {
  const app = createApp({ ...api.context, ...(plan === undefined ? {} : { plan }) });
  const response = await app.request('/api/1/composes/?dry_run=1', { method: 'POST', body });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

test('a dry run tells what would be composed and what would be reused, and stores nothing', async () => {
  const living = await givenPlanned('7');
  const count = async () => (await api.call('GET', '/api/1/composes/?per_page=0')).json;
  const before = await count();
  const manifest = manifestWith('7');
  const { status, json } = await dryRun(async () => ({
    fingerprint: fingerprintOf(manifest),
    manifest,
    warnings: ['look out'],
    bytes: 0,
    whyOf: () => '',
  }));
  assert.equal(status, 200);
  assert.deepEqual(json, {
    dry_run: true,
    fingerprint: fingerprintOf(manifest),
    manifest,
    packages: 1,
    reuses: living,
    warnings: ['look out'],
  });
  assert.deepEqual(await count(), before);
});

test('a dry run of what cannot be composed is refused with the reason', async () => {
  const { status, json } = await dryRun(async () => {
    throw new ReactorError('compose.packages_missing', 'They are missing: ed.', { hint: 'Look.' });
  });
  assert.deepEqual(
    [status, json['code'], json['message'], json['hint']],
    [400, 'compose.packages_missing', 'They are missing: ed.', 'Look.'],
  );
});

test('a server without a composer says that it cannot plan', async () => {
  const { status, json } = await dryRun();
  assert.deepEqual([status, json['code']], [501, 'request.dry_run_unavailable']);
});

test('an unexpected error is told to the log, not to the caller', async () => {
  const { status, json } = await dryRun(async () => {
    throw new Error('secret path /srv/x');
  });
  assert.equal(status, 500);
  assert.doesNotMatch(JSON.stringify(json), /secret/);
  assert.match(String(json['request_id']), /^[0-9a-f-]{36}$/);
});

test('the command line shows such a difference as a table', async () => {
  const [before, after] = [await givenPlanned('1'), await givenPlanned('2')];
  await using server = await listen(api.context);
  const run = await runCommand(command, ['diff', String(before), String(after)], { ODCS_SERVER: server.url });
  assert.match(run.out, new RegExp(`^From compose ${before} to ${after}: 1 upgraded\\.\nCHANGE +ARCH`));
  assert.match(run.out, /\nupgraded +x86_64 +binary +ed +0:1\.14\.1-1 -> 0:1\.14\.1-2\n$/);
});

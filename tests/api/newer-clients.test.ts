import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Config } from '../../src/config.ts';
import { findTraceOfCompose } from '../../src/database/composes.ts';
import { changeCompose } from './compose-rows.ts';
import { openTestApi, type Caller } from './open-test-api.ts';

/** What clients of ODCS 0.4 to 0.8 send that those of 0.3.8 do not. Source: ODCS contract 25. */
const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const json = { 'Content-Type': 'application/json', 'User-Agent': 'odcs-client/0.8.0' };
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const post = (call: Caller, body: unknown, headers: Record<string, string> = {}) =>
  call('POST', '/api/1/composes/', { text: JSON.stringify(body), headers: { ...json, ...headers } });
const patch = (call: Caller, id: unknown, body?: unknown) =>
  call('PATCH', `/api/1/composes/${String(id)}`, {
    ...(body === undefined ? {} : { text: JSON.stringify(body) }),
    headers: json,
  });

const withConfigs = api.withSettings({
  raw_config_urls: {
    eln: { url: 'https://example.com/eln.git', config_filename: 'eln.conf', seconds_to_live: 864_000 },
    ci: {
      url: 'https://example.com/ci.git',
      config_filename: 'ci.conf',
      seconds_to_live: 600,
      max_seconds_to_live: 1200,
    },
    plain: { url: 'https://example.com/plain.git', config_filename: 'plain.conf' },
  },
});
const lifeOf = ({ time_submitted: from, time_to_expire: until }: Record<string, unknown>): number =>
  (Date.parse(String(until)) - Date.parse(String(from))) / 1000;

for (const [name, asked, seconds] of [
  ['eln', undefined, 864_000],
  ['eln', 864_000, 259_200],
  ['ci', undefined, 600],
  ['ci', 900, 900],
  ['ci', 86_400, 1200],
  ['plain', undefined, 86_400],
  ['plain', 864_000, 259_200],
] as const) {
  test(`create-raw-config ${name}, asked to live for ${asked ?? 'the default'}, lives ${seconds} s`, async () => {
    const body = {
      source: { source: `${name}#main`, type: 'raw_config' },
      flags: ['no_label'],
      compose_type: 'test',
      ...(asked === undefined ? {} : { seconds_to_live: asked }),
    };
    const answer = await post(withConfigs, body, { traceparent });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(lifeOf(answer.json), seconds);
    const trace = await findTraceOfCompose(api.database.kysely, Number(answer.json['id']));
    assert.equal(trace?.split('-')[1], traceparent.split('-')[1], 'it goes on with the trace of its request');
  });
}

test('renewing a compose of a Pungi configuration keeps to the limits of that configuration', async () => {
  const { json: made } = await post(withConfigs, { source: { source: 'ci#main', type: 'raw_config' } });
  await changeCompose(api, Number(made['id']), { state: 'failed' });
  assert.equal(lifeOf((await patch(withConfigs, made['id'])).json), 600);
  // The command line hands its text on as it is.
  assert.equal(lifeOf((await patch(withConfigs, made['id'], { 'seconds-to-live': '7200' })).json), 1200);
});

test('the flag no_label is kept and shown, after the others', async () => {
  const body = { source: { source: 'f39', type: 'tag' }, flags: ['no_label', 'no_deps'] };
  const { status, json: compose } = await post(api.call, body);
  assert.deepEqual([status, compose['flags']], [200, ['no_deps', 'no_label']]);
});

test('renewing with another label makes the compose again with it', async () => {
  const { json: made } = await post(api.call, { source: { source: 'f39', type: 'tag' }, label: 'RC-1.0' });
  await changeCompose(api, Number(made['id']), { state: 'done', pungi_compose_id: 'odcs-1-1-20261122.t.0' });
  const { status, json: renewed } = await patch(api.call, made['id'], { label: 'RC-1.1' });
  assert.equal(status, 200);
  assert.notEqual(renewed['id'], made['id']);
  assert.deepEqual(
    [renewed['label'], renewed['state_name'], renewed['respin_of']],
    ['RC-1.1', 'wait', 'odcs-1-1-20261122.t.0'],
  );
});

test('renewing with the same label, or an empty one, lets the compose live longer', async () => {
  const { json: made } = await post(api.call, { source: { source: 'f39', type: 'tag' }, label: 'RC-1.0' });
  await changeCompose(api, Number(made['id']), { state: 'done' });
  for (const body of [{ label: 'RC-1.0' }, { label: '' }, { label: '', 'seconds-to-live': 600 }]) {
    const { json: renewed } = await patch(api.call, made['id'], body);
    assert.deepEqual([renewed['id'], renewed['label']], [made['id'], 'RC-1.0']);
  }
});

test('a label that is no name is refused when renewing, too', async () => {
  const { json: made } = await post(api.call, { source: { source: 'f39', type: 'tag' } });
  await changeCompose(api, Number(made['id']), { state: 'done' });
  assert.equal((await patch(api.call, made['id'], { label: '../x' })).status, 400);
  assert.equal((await patch(api.call, made['id'], { label: null })).status, 400);
});

test('create-build takes arches and builds of snapshots, whose versions have a caret', async () => {
  const source = { source: '', type: 'build', builds: ['foo-1.0^20230101git1234-1.fc39'], sigkeys: [''] };
  const { status, json: compose, text } = await post(api.call, { source, arches: ['x86_64'] });
  assert.equal(status, 200, text);
  assert.equal(compose['builds'], 'foo-1.0^20230101git1234-1.fc39');
});

const both: Partial<Config> = {
  auth_backend: 'oidc_or_kerberos',
  allowed_clients: { users: { 'sa-konflux': {}, kim: { source_types: ['module'] } }, groups: {} },
};
const tag = { source: { source: 'f39', type: 'tag' } };

test('with oidc_or_kerberos a token counts where there is one', async () => {
  const call = api.withSettings(both);
  const headers = {
    'X-Remote-User': 'sa-konflux',
    'OIDC-Access-Token': 'abc',
    'OIDC-Claim-Scope': 'openid https://pagure.io/odcs/new-compose',
  };
  const answer = await post(call, tag, headers);
  assert.deepEqual([answer.status, answer.json['owner']], [200, 'sa-konflux'], answer.text);
  const withoutScope = await post(call, tag, { ...headers, 'OIDC-Claim-Scope': 'openid' });
  assert.deepEqual(
    [withoutScope.status, withoutScope.json['message']],
    [403, 'Request does not have required scope new-compose'],
  );
  const withoutToken = await post(call, tag, { ...headers, 'OIDC-Access-Token': '' });
  assert.deepEqual(
    [withoutToken.status, withoutToken.json['message']],
    [401, 'Missing token passed to ODCS.'],
  );
});

test('with oidc_or_kerberos the user of Kerberos counts where there is no token', async () => {
  const call = api.withSettings(both);
  const modules = { source: { source: 'nodejs:18', type: 'module' } };
  const answer = await post(call, modules, { 'X-Remote-User': 'kim@EXAMPLE.COM' });
  assert.deepEqual([answer.status, answer.json['owner']], [200, 'kim'], answer.text);
  const anonymous = await post(call, modules);
  assert.deepEqual(
    [anonymous.status, anonymous.json['message']],
    [401, 'REMOTE_USER is not present in request.'],
  );
});

test('an admin among the allowed clients may ask for anything', async () => {
  const headers = { 'X-Remote-User': 'kim@EXAMPLE.COM' };
  const limited = await post(api.withSettings(both), tag, headers);
  assert.equal(limited.status, 403);
  const admin = api.withSettings({ ...both, admins: { users: ['kim'], groups: [] } });
  const answer = await post(admin, { ...tag, arches: ['s390x'] }, headers);
  assert.equal(answer.status, 200, answer.text);
});

test('a ticket of Kerberos is left to a proxy: without one it says nobody', async () => {
  const call = api.withSettings({
    auth_backend: 'kerberos',
    allowed_clients: { users: { osbs: {} }, groups: {} },
    trusted_proxies: ['192.0.2.1'],
  });
  const headers = { ...json, Authorization: 'Negotiate YIIC', 'X-Remote-User': 'osbs@EXAMPLE.COM' };
  const text = JSON.stringify({ source: { source: 'f26', type: 'tag', packages: ['ed'] } });
  const direct = await call('POST', '/api/1/composes/', { text, headers, from: '198.51.100.7' });
  assert.equal(direct.status, 401, direct.text);
  const proxied = await call('POST', '/api/1/composes/', { text, headers, from: '192.0.2.1' });
  assert.deepEqual([proxied.status, proxied.json['owner']], [200, 'osbs'], proxied.text);
});

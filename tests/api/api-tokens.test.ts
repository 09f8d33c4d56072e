import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Config } from '../../src/config.ts';
import { findToken, insertToken, revokeToken } from '../../src/database/api-tokens.ts';
import { digestOf, formatToken, newSecret, type ApiScope } from '../../src/model/api-token.ts';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { listen } from './listen.ts';
import { openTestApi, type Caller } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const tag = { source: { type: 'tag', source: 'f39' } };
const allowed: Partial<Config> = {
  auth_backend: 'kerberos',
  allowed_clients: { users: { osbs: {} }, groups: { builders: { source_types: ['module'] } } },
};
const allScopes: readonly ApiScope[] = ['new-compose', 'renew-compose', 'delete-compose', 'steer-rules'];

async function givenToken(
  more: { owner?: string; groups?: string[]; scopes?: readonly ApiScope[]; lifeMs?: number } = {},
): Promise<{ readonly id: number; readonly token: string }> {
  const secret = newSecret();
  const now = api.now;
  const { id } = await insertToken(api.database.kysely, {
    name: 'for a test',
    owner: more.owner ?? 'osbs',
    groups: more.groups ?? [],
    scopes: more.scopes ?? allScopes,
    expiresAt: new Date(now.getTime() + (more.lifeMs ?? 3_600_000)),
    digest: digestOf(secret),
    now,
  });
  return { id, token: formatToken(id, secret) };
}

const post = (call: Caller, token: string, headers: Record<string, string> = {}, body: unknown = tag) =>
  call('POST', '/api/1/composes/', { body, headers: { Authorization: `Bearer ${token}`, ...headers } });

for (const auth_backend of [
  'kerberos',
  'ssl',
  'kerberos_or_ssl',
  'openidc',
  'oidc_or_kerberos',
  'noauth',
] as const) {
  test(`with ${auth_backend} a token makes its bearer known, from any address`, async () => {
    const { token } = await givenToken();
    const call = api.withSettings({ ...allowed, auth_backend });
    for (const from of ['127.0.0.1', '192.0.2.9']) {
      const { status, json, text } = await call('POST', '/api/1/composes/', {
        body: tag,
        from,
        headers: { Authorization: `Bearer ${token}` },
      });
      assert.deepEqual([status, json['owner']], [200, 'osbs'], text);
    }
  });
}

test('over HTTP a token is enough to ask, and its last use is kept within a minute', async () => {
  const { id, token } = await givenToken();
  const config = { ...api.context.config, ...allowed };
  await using server = await listen({ ...api.context, config });
  const ask = () =>
    fetch(`${server.url}/api/1/composes/`, {
      method: 'POST',
      body: JSON.stringify(tag),
      headers: { authorization: `Bearer ${token}` },
    });
  const lastUse = async () => (await findToken(api.database.kysely, id))?.token.lastUsedAt;
  const start = api.now;
  assert.equal(await lastUse(), null);
  assert.equal((await ask()).status, 200);
  assert.deepEqual(await lastUse(), start);
  api.now = new Date(start.getTime() + 59_000);
  assert.equal((await ask()).status, 200);
  assert.deepEqual(await lastUse(), start);
  api.now = new Date(start.getTime() + 61_000);
  assert.equal((await ask()).status, 200);
  assert.deepEqual(await lastUse(), api.now);
  api.now = start;
});

test('a token that is wrong, cut, of another id or made up is refused, whatever the proxy says', async () => {
  const { id, token } = await givenToken();
  const other = await givenToken();
  const secret = token.slice(`odcs_${id}_`.length);
  const wrong = [
    `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
    token.slice(0, -1),
    `${token}x`,
    formatToken(other.id, secret),
    formatToken(999_999_999, secret),
    `odcs_${'9'.repeat(30)}_${secret}`,
    'odcs_',
    `odcs_${id}_`,
  ];
  const call = api.withSettings(allowed);
  for (const text of wrong) {
    const { status, json } = await post(call, text, { 'X-Remote-User': 'osbs@EXAMPLE.COM' });
    assert.deepEqual([status, json['code']], [401, 'auth.token_unknown'], text);
  }
});

test('a token of others is left to the proxy in front', async () => {
  const call = api.withSettings(allowed);
  const known = await post(call, 'eyJhbGciOi', { 'X-Remote-User': 'osbs@EXAMPLE.COM' });
  assert.equal(known.status, 200, known.text);
  assert.equal((await post(call, 'eyJhbGciOi')).json['code'], 'auth.user_missing');
});

test('an expired token is refused, and so is a revoked one', async () => {
  const call = api.withSettings(allowed);
  const expiring = await givenToken({ lifeMs: 1000 });
  assert.equal((await post(call, expiring.token)).status, 200);
  const start = api.now;
  api.now = new Date(start.getTime() + 1000);
  const late = await post(call, expiring.token);
  api.now = start;
  assert.deepEqual([late.status, late.json['code']], [401, 'auth.token_expired']);
  const revoked = await givenToken();
  await revokeToken(api.database.kysely, { id: revoked.id, now: api.now });
  const { status, json } = await post(call, revoked.token);
  assert.deepEqual([status, json['code']], [401, 'auth.token_revoked']);
});

test('a token is good for its scopes only', async () => {
  const call = api.withSettings({ ...allowed, admins: { users: ['osbs'], groups: [] } });
  const id = await givenCompose(api, { state: 'done', owner: 'osbs' });
  const requests: Readonly<Record<string, readonly [string, string, unknown]>> = {
    'new-compose': ['POST', '/api/1/composes/', tag],
    'renew-compose': ['PATCH', `/api/1/composes/${id}`, {}],
    'delete-compose': ['DELETE', `/api/1/composes/${id}`, undefined],
  };
  for (const scope of allScopes) {
    const { token } = await givenToken({ scopes: [scope] });
    for (const [needed, [method, path, body]] of Object.entries(requests)) {
      await changeCompose(api, id, { state: 'done', time_to_expire: new Date('2026-12-01T00:00:00Z') });
      const headers = { Authorization: `Bearer ${token}` };
      const { status, json } = await call(method, path, { headers, ...(body === undefined ? {} : { body }) });
      if (needed === scope) assert.ok(status < 300, `${scope}: ${JSON.stringify(json)}`);
      else assert.deepEqual([status, json['code']], [403, 'permission.scope_missing'], `${scope} ${needed}`);
    }
  }
});

test('a token gives no more than its owner and groups are allowed', async () => {
  const call = api.withSettings(allowed);
  const stranger = await givenToken({ owner: 'eve' });
  assert.equal((await post(call, stranger.token)).json['code'], 'permission.role_missing');
  const member = await givenToken({ owner: 'kim', groups: ['builders'] });
  assert.equal((await post(call, member.token)).json['code'], 'permission.value_not_allowed');
  const modules = { source: { type: 'module', source: 'nodejs:18' } };
  assert.equal((await post(call, member.token, {}, modules)).json['owner'], 'kim');
});

test('the secret of a token is not kept, only its digest', async () => {
  const { id, token } = await givenToken();
  const row = await api.database.kysely
    .selectFrom('api_tokens')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const secret = token.slice(`odcs_${id}_`.length);
  assert.equal(Buffer.from(secret, 'base64url').length, 32);
  assert.doesNotMatch(JSON.stringify(row), new RegExp(secret));
  assert.deepEqual(Buffer.from(row.digest), digestOf(secret));
});

test('reading needs no token, but one that is brought has to be right', async () => {
  const call = api.withSettings(allowed);
  assert.equal((await call('GET', '/api/1/composes/')).status, 200);
  const headers = { Authorization: 'Bearer odcs_1_x' };
  const { status, json } = await call('GET', '/api/1/composes/', { headers });
  assert.equal(status, 401);
  assert.equal(json['code'], 'auth.token_unknown');
});

import { SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Config } from '../../src/config.ts';
import { ensurePackages } from '../services/debian-packages.ts';
import { makeCertificates } from '../services/certificates.ts';
import { makeKey, startFakeIssuer } from '../upstream/oidc/fake-issuer.ts';
import { openTestApi, type Answer, type Caller } from './open-test-api.ts';

const packages = ensurePackages(['openssl']);
const options = packages.ready ? {} : { skip: packages.reason };
const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());
const folder = mkdtempSync(join(tmpdir(), 'odcs-bearer-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const certificates = packages.ready ? makeCertificates(folder, 'client') : undefined;

const issuer = await startFakeIssuer({ after }, certificates);
const key = await issuer.addKey('first');
const now = (): number => Math.floor(api.now.getTime() / 1000);
const claims = (more: Record<string, unknown> = {}): JWTPayload => ({
  iss: issuer.url,
  aud: 'odcs-reactor',
  sub: 'osbs',
  iat: now(),
  exp: now() + 300,
  scope: 'openid https://pagure.io/odcs/new-compose',
  groups: ['builders'],
  ...more,
});
const settings: Partial<Config> = {
  auth_backend: 'openidc',
  oidc_issuer: issuer.url,
  oidc_audiences: ['odcs-reactor'],
  oidc_ca: certificates?.authority ?? '',
  allowed_clients: { users: { osbs: {} }, groups: { 'from-userinfo': {} } },
};
const tag = { source: { type: 'tag', source: 'f39' } };
const ask = (call: Caller, token: string, more: Record<string, string> = {}): Promise<Answer> =>
  call('POST', '/api/1/composes/', {
    body: tag,
    from: '192.0.2.9',
    headers: { Authorization: `Bearer ${token}`, ...more },
  });
const seen = ({ status, json }: Answer): unknown[] => [status, json['code'] ?? json['owner']];

test(
  'the bearer of a signed token is known without a proxy, by keys read over TLS once',
  options,
  async () => {
    const call = api.withSettings(settings);
    issuer.asked.length = 0;
    for (const algorithm of ['RS256', 'PS512', 'ES256', 'EdDSA']) {
      const other = await issuer.addKey(`of ${algorithm}`, algorithm);
      const answer = await ask(api.withSettings(settings), await issuer.sign(claims(), other));
      assert.deepEqual(seen(answer), [200, 'osbs'], answer.text);
    }
    issuer.asked.length = 0;
    for (let time = 0; time < 3; time += 1) {
      assert.deepEqual(seen(await ask(call, await issuer.sign(claims(), key))), [200, 'osbs']);
    }
    assert.deepEqual(issuer.asked, ['GET /.well-known/openid-configuration', 'GET /keys']);
  },
);

test('headers of a proxy mean nothing where tokens are checked here', options, async () => {
  const call = api.withSettings(settings);
  const headers = {
    'X-Remote-User': 'osbs',
    'OIDC-Access-Token': 'anything',
    'OIDC-Claim-Scope': 'https://pagure.io/odcs/new-compose',
  };
  const { status, json } = await call('POST', '/api/1/composes/', { body: tag, headers });
  assert.deepEqual([status, json['code']], [401, 'auth.token_missing']);
});

test('Kerberos counts beside it where no bearer token comes', options, async () => {
  const call = api.withSettings({ ...settings, auth_backend: 'oidc_or_kerberos' });
  const headers = { 'X-Remote-User': 'osbs@EXAMPLE.COM' };
  const kerberos = await call('POST', '/api/1/composes/', { body: tag, headers });
  assert.deepEqual(seen(kerberos), [200, 'osbs'], kerberos.text);
  const bad = await ask(call, 'nonsense', headers);
  assert.deepEqual(seen(bad), [401, 'auth.bearer_refused']);
});

test(
  'a token for something else, of somebody else or of another time is refused, and the message says why',
  options,
  async () => {
    const call = api.withSettings(settings);
    const unpublished = await makeKey('unpublished');
    const impostor = { ...(await makeKey('first')), id: 'first' };
    const shared = new TextEncoder().encode(
      createPublicKey({ key: key.published, format: 'jwk' })
        .export({ type: 'spki', format: 'pem' })
        .toString(),
    );
    const unsigned = new UnsecuredJWT(claims()).encode();
    const signedWithout = async (...names: string[]): Promise<string> =>
      issuer.sign(
        Object.fromEntries(Object.entries(claims()).filter(([name]) => !names.includes(name))),
        key,
      );
    const good = await issuer.sign(claims(), key);
    const [header, , signature] = good.split('.');
    const payload = Buffer.from(JSON.stringify(claims({ sub: 'root' }))).toString('base64url');
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['auth.bearer_refused', await issuer.sign(claims({ aud: 'somebody' }), key), /for another audience/],
      ['auth.bearer_refused', await signedWithout('aud'), /for another audience/],
      [
        'auth.bearer_refused',
        await issuer.sign(claims({ iss: 'https://elsewhere.example' }), key),
        /another issuer/,
      ],
      ['auth.token_expired', await issuer.sign(claims({ exp: now() - 60 }), key), /has expired/],
      ['auth.bearer_refused', await signedWithout('exp'), /claim exp/],
      ['auth.bearer_refused', await issuer.sign(claims({ nbf: now() + 60 }), key), /not valid yet/],
      ['auth.bearer_refused', await issuer.sign(claims({ iat: now() + 60 }), key), /in the future/],
      ['auth.bearer_refused', await issuer.sign(claims({ typ: 'ID' }), key), /of the kind "ID"/],
      ['auth.bearer_refused', await issuer.sign(claims(), key, { typ: 'logout+jwt' }), /no access token/],
      ['auth.bearer_refused', await issuer.sign(claims({ sub: 'os\nbs' }), key), /names no user/],
      ['auth.bearer_refused', await signedWithout('sub'), /names no user/],
      ['auth.bearer_refused', await issuer.sign(claims(), key, { kid: undefined }), /names no key/],
      ['auth.bearer_refused', await issuer.sign(claims(), unpublished), /does not have/],
      ['auth.bearer_refused', await issuer.sign(claims(), impostor), /signature is wrong/],
      ['auth.bearer_refused', `${header}.${payload}.${signature}`, /signature is wrong/],
      ['auth.bearer_refused', unsigned, /names no key/],
      [
        'auth.bearer_refused',
        `${Buffer.from('{"alg":"none","kid":"first"}').toString('base64url')}.${unsigned.split('.')[1]}.`,
        /not accepted: it is signed in a way/,
      ],
      [
        'auth.bearer_refused',
        await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(shared),
        /not accepted: it is signed in a way/,
      ],
      ['auth.bearer_refused', 'a.b.c', /no signed token/],
      ['auth.bearer_refused', 'x'.repeat(12_001), /more than 12000 letters/],
      ['auth.scope_missing', await signedWithout('scope'), /no scopes/],
    ];
    for (const [code, token, sentence] of cases) {
      const { status, json, text } = await ask(call, token);
      assert.deepEqual([status, json['code']], [401, code], text);
      assert.match(String(json['message']), sentence);
      assert.ok(!text.includes(token.slice(0, 100)), 'the token is not repeated');
    }
  },
);

test('clocks may differ by half a minute', options, async () => {
  const call = api.withSettings(settings);
  for (const more of [{ exp: now() - 20 }, { nbf: now() + 20 }, { iat: now() + 20 }]) {
    const answer = await ask(call, await issuer.sign(claims(more), key));
    assert.deepEqual(seen(answer), [200, 'osbs'], answer.text);
  }
});

test('scopes of a token hold for each change, and those of the settings for all', options, async () => {
  const token = await issuer.sign(claims({ scope: undefined, scp: ['openid'] }), key);
  const without = await ask(api.withSettings(settings), token);
  assert.deepEqual(seen(without), [403, 'permission.scope_missing']);
  const call = api.withSettings({ ...settings, auth_openidc_required_scopes: ['composes'] });
  const required = await ask(call, await issuer.sign(claims(), key));
  assert.deepEqual(seen(required), [401, 'auth.scope_missing']);
});

test(
  'user and groups are those of the claims that the settings name, groups else of the user info',
  options,
  async () => {
    const token = await issuer.sign(
      claims({ email: 'a@b.example', teams: 'one from-userinfo', groups: undefined }),
      key,
    );
    const named = { oidc_user_claim: 'email', oidc_groups_claim: 'teams' };
    assert.deepEqual(seen(await ask(api.withSettings({ ...settings, ...named }), token)), [
      200,
      'a@b.example',
    ]);
    const userinfo = { oidc_user_claim: 'email', auth_openidc_userinfo_uri: `${issuer.url}/userinfo` };
    assert.deepEqual(seen(await ask(api.withSettings({ ...settings, ...userinfo }), token)), [
      200,
      'a@b.example',
    ]);
    const nothing = await ask(api.withSettings({ ...settings, oidc_user_claim: 'email' }), token);
    assert.deepEqual(seen(nothing), [403, 'permission.role_missing']);
  },
);

test('reading does not depend on the issuer, changing waits for it', options, async () => {
  issuer.trouble = (_, response) => void response.writeHead(500).end();
  const call = api.withSettings(settings);
  const token = await issuer.sign(claims(), key);
  const read = await call('GET', '/api/1/composes/', { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(read.status, 200);
  const { status, json, headers } = await ask(call, token);
  assert.deepEqual([status, json['code'], headers.get('retry-after')], [503, 'oidc.unanswered', '5']);
  issuer.trouble = null;
});

test('a provider that is asked about tokens tells once a minute whose they are', options, async () => {
  const asked: Partial<Config> = {
    ...settings,
    oidc_issuer: '',
    oidc_introspection_uri: `${issuer.url}/introspect`,
    oidc_client_id: 'odcs',
    oidc_client_secret: 'a:b',
  };
  const call = api.withSettings(asked);
  const answers: Record<string, Record<string, unknown>> = {
    good: { active: true, ...claims() },
    other: { active: true, ...claims({ aud: ['somebody', 'else'] }) },
    nobody: { active: true, ...claims({ sub: undefined }) },
    old: { active: true, ...claims({ exp: now() - 60 }) },
    early: { active: true, ...claims({ nbf: now() + 60 }) },
    sly: { ...claims(), active: 'true' },
  };
  for (const [token, answer] of Object.entries(answers)) issuer.introspections.set(token, answer);
  issuer.asked.length = 0;
  assert.deepEqual(seen(await ask(call, 'good')), [200, 'osbs']);
  assert.deepEqual(seen(await ask(call, 'good')), [200, 'osbs']);
  assert.deepEqual(issuer.asked, ['POST /introspect']);
  assert.deepEqual(issuer.logins, [`Basic ${Buffer.from('odcs:a%3Ab').toString('base64')}`]);
  for (const token of ['other', 'nobody', 'early', 'sly', 'unknown']) {
    assert.deepEqual(seen(await ask(call, token)), [401, 'auth.bearer_refused'], token);
  }
  assert.deepEqual(seen(await ask(call, 'old')), [401, 'auth.token_expired']);
});

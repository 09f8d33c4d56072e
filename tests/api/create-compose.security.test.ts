import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Config } from '../../src/config.ts';
import { givenCompose } from './compose-rows.ts';
import { openTestApi, type Answer, type CallOptions, type Caller } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const tag = { source: { type: 'tag', source: 'f26' } };
const allowed = { users: { osbs: {} }, groups: { builders: {} } };
const post = (call: Caller, headers: Record<string, string>, body: unknown = tag, more: CallOptions = {}) =>
  call('POST', '/api/1/composes/', { body, headers, ...more });
const outcome = ({ status, json }: Answer): unknown[] => [status, json['error'], json['message']];

test('kerberos knows its user without the realm', async () => {
  const call = api.withSettings({ auth_backend: 'kerberos', allowed_clients: allowed });
  const { status, json } = await post(call, { 'X-Remote-User': 'osbs@EXAMPLE.COM' });
  assert.deepEqual([status, json['owner']], [200, 'osbs']);
});

test('kerberos takes groups from the proxy', async () => {
  const call = api.withSettings({ auth_backend: 'kerberos', allowed_clients: allowed });
  const headers = { 'X-Remote-User': 'kim@EXAMPLE.COM', 'X-Remote-Groups': 'users;builders' };
  assert.equal((await post(call, headers)).status, 200);
});

test('kerberos goes without groups where LDAP does not answer', async () => {
  const settings = {
    auth_backend: 'kerberos',
    allowed_clients: allowed,
    auth_ldap_server: 'ldap://127.0.0.1:1',
  } as const;
  const { status, json } = await post(api.withSettings(settings), { 'X-Remote-User': 'kim@EXAMPLE.COM' });
  assert.deepEqual([status, json['message']], [403, 'User kim is not in role allowed_clients.']);
});

test('a user of a realm that is not ours is nobody', async () => {
  const settings = {
    auth_backend: 'kerberos',
    allowed_clients: { users: { root: {} }, groups: {} },
  } as const;
  const call = api.withSettings({ ...settings, kerberos_realms: ['EXAMPLE.COM'] });
  assert.equal((await post(call, { 'X-Remote-User': 'root@EXAMPLE.COM' })).status, 200);
  for (const realm of ['EVIL', 'example.com', '']) {
    const { status, json } = await post(call, { 'X-Remote-User': `root@${realm}` });
    assert.deepEqual([status, json['code']], [401, 'auth.realm_refused'], realm);
  }
  // As ODCS does, where no realm is configured.
  assert.equal((await post(api.withSettings(settings), { 'X-Remote-User': 'root@EVIL' })).status, 200);
});

test('the name of a group may hold blanks', async () => {
  const call = api.withSettings({ auth_backend: 'kerberos', allowed_clients: allowed });
  const ask = async (groups: string): Promise<number> =>
    (await post(call, { 'X-Remote-User': 'kim@EXAMPLE.COM', 'X-Remote-Groups': groups })).status;
  assert.equal(await ask('builders interns, not builders'), 403);
  assert.equal(await ask('builders:x'), 403);
  assert.equal(await ask('interns , builders'), 200);
  assert.equal(await ask('interns;builders'), 200);
});

test('where callers are known, the client of a proxy is not on this machine', async () => {
  const body = { source: { type: 'repo', source: '/srv/repo' } };
  const settings = {
    auth_backend: 'kerberos',
    allowed_clients: { users: { kim: { source_types: [''] } }, groups: {} },
  } satisfies Partial<Config>;
  const headers = { 'X-Remote-User': 'kim@EXAMPLE.COM' };
  const { status, json } = await post(api.withSettings(settings), headers, body);
  assert.deepEqual([status, json['code']], [403, 'repo.not_allowed']);
});

test('a Pungi compose of a host that is not listed is refused', async () => {
  const ask = (host: string) =>
    post(
      api.withSettings({ repo_hosts: ['composes.example.com'] }),
      {},
      {
        source: { type: 'pungi_compose', source: `https://${host}/F-1/compose/Server` },
      },
    );
  assert.equal((await ask('composes.example.com')).status, 200);
  const { status, json } = await ask('other.example.com');
  assert.deepEqual([status, json['code']], [403, 'repo.not_allowed']);
});

const missing = [401, 'Unauthorized', 'REMOTE_USER is not present in request.'];

/** Source: ODCS contract 9. */
const strangers: readonly [Partial<Config>, Record<string, string>, unknown[]][] = [
  [{ auth_backend: 'kerberos' }, {}, missing],
  [{ auth_backend: 'openidc' }, {}, missing],
  [
    { auth_backend: 'openidc' },
    { 'X-Remote-User': 'kim' },
    [401, 'Unauthorized', 'Missing token passed to ODCS.'],
  ],
  [
    { auth_backend: 'openidc' },
    { 'X-Remote-User': 'kim', 'OIDC-Access-Token': 't' },
    [401, 'Unauthorized', 'Missing OIDC_CLAIM_scope.'],
  ],
  [
    { auth_backend: 'openidc', auth_openidc_required_scopes: ['openid', 'groups'] },
    { 'X-Remote-User': 'kim', OIDC_access_token: 't', OIDC_CLAIM_scope: 'openid' },
    [401, 'Unauthorized', 'Required OIDC scope groups not present.'],
  ],
  [{ auth_backend: 'ssl' }, {}, [401, 'Unauthorized', 'Cannot verify client: None']],
  [{ auth_backend: 'kerberos_or_ssl' }, {}, [401, 'Unauthorized', 'Cannot verify client: None']],
  [
    { auth_backend: 'ssl' },
    { 'X-SSL-Client-Verify': 'NONE' },
    [401, 'Unauthorized', 'Cannot verify client: NONE'],
  ],
  [
    { auth_backend: 'ssl' },
    { 'X-SSL-Client-Verify': 'SUCCESS' },
    [401, 'Unauthorized', 'Unable to get user information (DN) from client certificate'],
  ],
];
for (const [settings, headers, expected] of strangers) {
  test(`${settings.auth_backend} with ${Object.keys(headers).join(', ') || 'no headers'} is ${String(expected[2])}`, async () => {
    assert.deepEqual(outcome(await post(api.withSettings(settings), headers)), expected);
  });
}

test('a Kerberos user that is not name@REALM is 400', async () => {
  const call = api.withSettings({ auth_backend: 'kerberos', allowed_clients: allowed });
  for (const user of ['osbs', 'osbs@A@B', '@A']) {
    assert.equal((await post(call, { 'X-Remote-User': user })).status, 400, user);
  }
});

test('the authentication headers of anybody but a trusted proxy mean nothing', async () => {
  const headers = { 'X-Remote-User': 'osbs@EXAMPLE.COM' };
  const call = api.withSettings({ auth_backend: 'kerberos', allowed_clients: allowed });
  assert.deepEqual(outcome(await post(call, headers, tag, { from: '10.0.0.9' })), missing);
  const other = api.withSettings({
    auth_backend: 'kerberos',
    allowed_clients: allowed,
    trusted_proxies: ['10.0.0.0/24'],
  });
  assert.equal((await post(other, headers, tag, { from: '10.0.0.9' })).status, 200);
  assert.equal((await post(other, headers, tag, { from: '::ffff:10.0.0.9' })).status, 200);
  assert.deepEqual(outcome(await post(other, headers, tag, { from: '10.0.1.9' })), missing);
});

test('a certificate is known by its whole subject', async () => {
  const subject = '/C=US/CN=osbs';
  const call = api.withSettings({
    auth_backend: 'kerberos_or_ssl',
    allowed_clients: { users: { [subject]: {} }, groups: {} },
  });
  const headers = { 'X-SSL-Client-Verify': 'SUCCESS', 'X-SSL-Client-S-DN': subject };
  assert.equal((await post(call, headers)).json['owner'], subject);
});

test('openidc asks the provider for groups and the token for scopes', async () => {
  const seen: string[] = [];
  const provider = createServer((request, response) => {
    seen.push(request.headers.authorization ?? '');
    const isService = request.headers.authorization === 'Bearer service';
    response.writeHead(isService ? 403 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ groups: ['builders'] }));
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = provider.address() as AddressInfo;
    const call = api.withSettings({
      auth_backend: 'openidc',
      auth_openidc_userinfo_uri: `http://127.0.0.1:${port}/userinfo`,
      auth_openidc_required_scopes: ['openid'],
      allowed_clients: allowed,
    });
    const scope = 'https://pagure.io/odcs/new-compose';
    const headers = {
      'X-Remote-User': 'kim',
      'OIDC-Access-Token': 'person',
      'OIDC-Claim-Scope': `openid ${scope}`,
    };
    assert.equal((await post(call, headers)).json['owner'], 'kim');
    assert.deepEqual(seen, ['Bearer person']);
    assert.deepEqual(outcome(await post(call, { ...headers, 'OIDC-Claim-Scope': 'openid' })), [
      403,
      'Forbidden',
      'Request does not have required scope new-compose',
    ]);
    const service = { ...headers, 'OIDC-Access-Token': 'service' };
    assert.equal((await post(call, service)).json['message'], 'User kim is not in role allowed_clients.');
    const renewal = await call('PATCH', '/api/1/composes/1', { headers });
    assert.equal(renewal.json['message'], 'Request does not have required scope renew-compose');
    const removal = await call('DELETE', '/api/1/composes/1', { headers });
    assert.equal(removal.json['message'], 'Request does not have required scope delete-compose');
  } finally {
    provider.close();
  }
});

test('reading needs no user, and broken credentials are not even looked at', async () => {
  const call = api.withSettings({ auth_backend: 'kerberos' });
  for (const path of ['/api/1/composes/', '/api/1/about/', '/api/1/metrics/', '/']) {
    assert.equal((await call('GET', path, { headers: { 'X-Remote-User': 'a@b@c' } })).status, 200, path);
  }
});

test('who asks is settled before the body is read', async () => {
  const call = api.withSettings({ auth_backend: 'kerberos', allowed_clients: allowed });
  assert.equal((await call('POST', '/api/1/composes/', { text: '{' })).status, 401);
  const headers = { 'X-Remote-User': 'eve@EXAMPLE.COM' };
  const { status, json } = await call('POST', '/api/1/composes/', { text: '{', headers });
  assert.deepEqual([status, json['message']], [403, 'User eve is not in role allowed_clients.']);
});

test('an admin is not thereby an allowed client', async () => {
  const call = api.withSettings({ auth_backend: 'kerberos', admins: { users: ['root'], groups: [] } });
  const { json } = await post(call, { 'X-Remote-User': 'root@EXAMPLE.COM' });
  assert.equal(json['message'], 'User root is not in role allowed_clients.');
});

/** Source: ODCS contract 10. Entry of the user, body, refused attributes (none: allowed). */
const permissions: readonly [Record<string, string[]>, object, string[]][] = [
  [{}, tag, []],
  [{}, { source: { type: 'repo', source: '/srv' } }, ['source_types=repo']],
  [{ source_types: ['repo'] }, tag, ['source_types=tag']],
  [{ source_types: [''] }, { source: { type: 'pulp', source: 'x' } }, []],
  [{ source_types: [] }, tag, ['source_types=tag']],
  [{ sources: ['f26', 'f27'] }, { source: { type: 'tag', source: 'f26 f27' } }, []],
  [{ sources: ['f26'] }, { source: { type: 'tag', source: 'f26 f28' } }, ['sources=f28']],
  [{ sources: ['f26'] }, { source: { type: 'build', builds: ['a-1-1'] } }, ['sources=']],
  [{ flags: ['no_deps'] }, { ...tag, flags: ['no_deps'] }, []],
  [{ flags: ['no_deps'] }, tag, []],
  [{ flags: ['no_deps'] }, { ...tag, flags: ['check_deps'] }, ['flags=check_deps']],
  [{ results: ['repository'] }, { ...tag, results: ['iso'] }, ['results=iso']],
  [{}, { ...tag, arches: ['s390x'] }, ['arches=s390x']],
  [{ arches: ['s390x', 'x86_64'] }, { ...tag, arches: ['s390x'] }, []],
  [{ compose_types: ['test'] }, { ...tag, compose_type: 'nightly' }, ['compose_types=nightly']],
  [{}, { ...tag, target_dir: 'private' }, ['target_dirs=private']],
  [{ target_dirs: ['private'] }, { ...tag, target_dir: 'private' }, []],
  [{ source_types: ['raw_config'] }, { source: { type: 'raw_config', source: 'cfg#1' } }, []],
  [
    { source_types: ['raw_config'], raw_config_keys: ['other'] },
    { source: { type: 'raw_config', source: 'cfg#1' } },
    ['raw_config_keys=cfg'],
  ],
  [{ source_types: ['module'], compose_types: ['ci'] }, tag, ['source_types=tag', 'compose_types=test']],
];
for (const [entry, body, refused] of permissions) {
  test(`a user granted ${JSON.stringify(entry)} asking for ${JSON.stringify(body)} is refused ${refused.join(', ') || 'nothing'}`, async () => {
    const call = api.withSettings({
      auth_backend: 'kerberos',
      allowed_clients: { users: { osbs: entry }, groups: {} },
      extra_target_dirs: { private: '/nonexistent' },
      raw_config_urls: { cfg: { url: 'u', config_filename: 'c' } },
    });
    const answer = await post(call, { 'X-Remote-User': 'osbs@EXAMPLE.COM' }, body);
    if (refused.length === 0) return assert.equal(answer.status, 200, answer.text);
    const sentences = refused.map((word) => `User osbs not allowed to operate with compose with ${word}.`);
    return assert.deepEqual(outcome(answer), [403, 'Forbidden', sentences.join(' ')]);
  });
}

test('the entry of a user hides those of its groups; of groups one has to allow everything', async () => {
  const groups = { modules: { source_types: ['module'] }, wide: { arches: [''] }, tags: {} };
  const headers = (list: string) => ({ 'X-Remote-User': 'kim@EXAMPLE.COM', 'X-Remote-Groups': list });
  const hidden = api.withSettings({
    auth_backend: 'kerberos',
    allowed_clients: { users: { kim: { source_types: ['module'] } }, groups },
  });
  assert.equal((await post(hidden, headers('tags'))).status, 403);
  const grouped = api.withSettings({ auth_backend: 'kerberos', allowed_clients: { users: {}, groups } });
  assert.equal((await post(grouped, headers('modules, tags'))).status, 200);
  const mixed = { source: { type: 'module', source: 'a:b' }, arches: ['s390x'], compose_type: 'test' };
  assert.equal((await post(grouped, headers('modules, tags'), mixed)).status, 403);
});

test('renewing is measured by the old compose, its directory too, but not by its owner', async () => {
  const call = api.withSettings({
    auth_backend: 'kerberos',
    allowed_clients: { users: { osbs: {}, modules: { source_types: ['module'] } }, groups: {} },
  });
  const id = await givenCompose(api, { state: 'done', owner: 'somebody' });
  const path = `/api/1/composes/${id}`;
  assert.equal((await call('PATCH', path, { headers: { 'X-Remote-User': 'osbs@A' } })).status, 200);
  const refused = await call('PATCH', path, { headers: { 'X-Remote-User': 'modules@A' } });
  assert.equal(
    refused.json['message'],
    'User modules not allowed to operate with compose with source_types=tag.',
  );
});

test('a web page of another site cannot ask for anything', async () => {
  const foreign = await post(api.call, { Origin: 'https://evil.example' });
  assert.deepEqual([foreign.status, foreign.json['code']], [403, 'request.foreign_page']);
  assert.equal((await post(api.call, { Origin: 'null' })).status, 403);
  assert.equal((await post(api.call, { Origin: 'http://odcs.example.com' })).status, 200);
});

test('a page whose name was made to point at this machine cannot ask for anything either', async () => {
  const ask = (path: string, origin: string, from = '127.0.0.1') =>
    api.call('POST', path, { body: tag, headers: { Origin: origin }, from });
  const path = '/api/1/composes/';
  assert.equal((await ask(`http://evil.example:5005${path}`, 'http://evil.example:5005')).status, 403);
  assert.equal((await ask(`http://localhost:5005${path}`, 'http://localhost:5005')).status, 200);
  assert.equal((await ask(`http://[::1]:5005${path}`, 'http://[::1]:5005')).status, 200);
  assert.equal((await ask(`http://odcs:5005${path}`, 'http://odcs:5005', '192.0.2.7')).status, 200);
});

test('a trusted proxy that is no address stops the service from starting', () => {
  for (const proxy of ['localhost', '10.0.0.0/99', '10.0.0.0/x', '']) {
    assert.throws(() => api.withSettings({ trusted_proxies: [proxy] }), /neither an address nor a network/);
  }
});

test('a local repository is for clients on this machine', async () => {
  const body = { source: { type: 'repo', source: '/srv/repo' } };
  const from = (address: string, headers: Record<string, string> = {}) =>
    post(api.call, headers, body, { from: address });
  assert.equal((await from('127.0.0.1')).status, 200);
  assert.equal((await from('::1')).status, 200);
  assert.equal((await from('::ffff:127.0.0.5')).status, 200);
  const remote = await from('192.0.2.7');
  assert.deepEqual([remote.status, remote.json['code']], [403, 'repo.not_allowed']);
  // A proxy on this machine speaks for others.
  assert.equal((await from('127.0.0.1', { 'X-Forwarded-For': '192.0.2.7' })).status, 403);
  assert.equal((await from('127.0.0.1', { 'X-Forwarded-For': '127.0.0.1, 192.0.2.7' })).status, 403);
  assert.equal((await from('127.0.0.1', { 'X-Forwarded-Host': 'odcs.example.com' })).status, 403);
  assert.equal((await from('192.0.2.7', { 'X-Forwarded-For': '127.0.0.1' })).status, 403);
  assert.equal((await from('')).status, 403);
  const renewed = await givenCompose(api, { state: 'removed' }, body);
  assert.equal((await api.call('PATCH', `/api/1/composes/${renewed}`, { from: '192.0.2.7' })).status, 403);
});

test('repo_roots open directories to everybody, and nothing beyond them', async () => {
  const root = mkdtempSync(join(tmpdir(), 'odcs-roots-'));
  try {
    mkdirSync(join(root, 'repos', 'a'), { recursive: true });
    mkdirSync(join(root, 'repos-secret'));
    symlinkSync(join(root, 'repos-secret'), join(root, 'repos', 'out'));
    symlinkSync('a', join(root, 'repos', 'b'));
    const call = api.withSettings({ repo_roots: [join(root, 'repos')] });
    const ask = async (source: string): Promise<number> =>
      (await post(call, {}, { source: { type: 'repo', source } }, { from: '192.0.2.7' })).status;
    assert.equal(await ask(join(root, 'repos', 'a')), 200);
    assert.equal(await ask(join(root, 'repos', 'b')), 200);
    assert.equal(await ask(`${root}/repos/a/../a`), 200);
    for (const path of ['repos-secret', 'repos/out', 'repos/../repos-secret', 'repos/out/x', '..']) {
      assert.equal(await ask(`${root}/${path}`), 403, path);
    }
    assert.equal(await ask('/etc'), 403);
    assert.equal(await ask(join(root, 'repos', 'not yet there')), 400);
    assert.equal(await ask(join(root, 'repos', 'not-yet-there')), 200);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('repositories and lookasides are fetched from the listed hosts only', async () => {
  const call = api.withSettings({ repo_hosts: ['kojipkgs.example.com', '::1'] });
  const ask = async (body: object): Promise<number> => (await post(call, {}, body)).status;
  assert.equal(await ask({ source: { type: 'repo', source: 'https://kojipkgs.example.com/r/' } }), 200);
  assert.equal(await ask({ ...tag, lookaside_repos: ['http://kojipkgs.example.com:8080/r'] }), 200);
  for (const url of [
    'http://169.254.169.254/latest',
    'http://kojipkgs.example.com.evil.example/r',
    'http://localhost:5005/',
  ]) {
    assert.equal(await ask({ source: { type: 'repo', source: url } }), 403, url);
    assert.equal(await ask({ ...tag, lookaside_repos: [url] }), 403, url);
  }
  const own = api.withSettings({ repo_hosts: ['localhost'] });
  const local = { source: { type: 'repo', source: 'http://localhost:8080/r' } };
  assert.equal((await post(own, {}, local)).status, 200);
  assert.equal((await post(own, {}, local, { from: '192.0.2.7' })).status, 403);
  for (const source of ['ftp://kojipkgs.example.com/r', 'file:///etc', 'relative/path', 'repo']) {
    assert.equal(await ask({ source: { type: 'repo', source } }), 400, source);
  }
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { KojiSession, type KojiLogin } from '../../../src/upstream/koji/koji-session.ts';
import { ensurePackages } from '../../services/debian-packages.ts';
import { KERBEROS_PACKAGES, startKdc, startNegotiatingFront } from '../../services/kerberos.ts';
import { startHubServer } from './hub-server.ts';
import { makeCertificate } from './tls-front.ts';

const packages = ensurePackages(KERBEROS_PACKAGES);
const options = packages.ready ? {} : { skip: packages.reason };

/** A hub behind Apache that asks for tickets, and who may come to it. */
async function openScene() {
  const kdc = await startKdc();
  const folder = mkdtempSync(join(kdc.folder, 'scene-'));
  const certificate = makeCertificate(folder);
  const hub = await startHubServer(({ user = 'nobody' }) => ({ value: { id: 7, name: user } }), {
    isBehindFront: true,
  });
  const front = await startNegotiatingFront(hub.url, { kdc, certificate });
  const principal = `odcs/builder@${kdc.realm}`;
  const keytab = kdc.addPrincipal(principal);
  const temporary = join(folder, 'temporary');
  mkdirSync(temporary);
  process.env['KRB5_CONFIG'] = kdc.config;
  process.env['TMPDIR'] = temporary;
  const login = {
    url: front.url,
    authorities: readFileSync(certificate.authority, 'utf8'),
    by: { kind: 'keytab', keytab, principal },
  } as const satisfies KojiLogin;
  return {
    kdc,
    hub,
    login,
    temporary,
    logInAs: (by: Partial<(typeof login)['by']>) =>
      KojiSession.begin({ ...login, by: { ...login.by, ...by } }),
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await hub.close();
      await kdc[Symbol.asyncDispose]();
    },
  };
}

const scene = packages.ready ? await openScene() : null;
after(() => scene?.[Symbol.asyncDispose]());

/** Runs with what the test changes of the environment, and puts that back. */
function setVariable(context: TestContext, name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  context.after(() => void (process.env[name] = before));
}

/** Writes the configuration of a realm whose KDC is on a port, and returns its path. */
function writeConfig(folder: string, realm: string, port: number): string {
  const path = join(folder, `krb5-${port}.conf`);
  writeFileSync(
    path,
    `[libdefaults]\ndefault_realm = ${realm}\nudp_preference_limit = 1\n[realms]\n${realm} = {\n  kdc = 127.0.0.1:${port}\n}\n`,
  );
  return path;
}

test('a keytab logs into a hub behind Kerberos, and nothing of the ticket stays', options, async () => {
  assert.ok(scene);
  await using session = await KojiSession.begin(scene.login);
  assert.deepEqual(await session.readUser(), { id: 7, name: `odcs/builder@${scene.kdc.realm}` });
  assert.deepEqual(readdirSync(scene.temporary), []);
});

test('a principal that Kerberos does not know gets no ticket', options, async () => {
  assert.ok(scene);
  await assert.rejects(scene.logInAs({ principal: 'nobody' }), {
    code: 'koji.kerberos_refused',
    message: /no ticket: kinit: .*nobody@/,
  });
});

test('a keytab whose keys were replaced gets no ticket', options, async () => {
  assert.ok(scene);
  const keytab = scene.kdc.addPrincipal('replaced');
  scene.kdc.changeKeys('replaced');
  await assert.rejects(scene.logInAs({ keytab, principal: 'replaced' }), { code: 'koji.kerberos_refused' });
});

test('a keytab that is not there halts, with its path', options, async () => {
  assert.ok(scene);
  const keytab = join(scene.temporary, 'none.keytab');
  await assert.rejects(scene.logInAs({ keytab }), {
    code: 'koji.login_unreadable',
    fate: 'halt',
    where: keytab,
  });
});

test('who has a ticket but is not let in is refused', options, async () => {
  assert.ok(scene);
  const keytab = scene.kdc.addPrincipal('stranger');
  await assert.rejects(scene.logInAs({ keytab, principal: 'stranger' }), {
    code: 'koji.login_refused',
    message: /answered 401/,
    hint: /koji_login_principal/,
  });
});

test('a ticket is given to nobody whose certificate is of another authority', options, async () => {
  assert.ok(scene);
  const other = mkdtempSync(join(scene.kdc.folder, 'other-'));
  const authorities = readFileSync(makeCertificate(other).authority, 'utf8');
  await assert.rejects(KojiSession.begin({ ...scene.login, authorities }), {
    code: 'koji.hub_unreachable',
    message: /certificate/,
  });
});

test('a hub that is out of order, or none, is told from one that refuses', options, async () => {
  assert.ok(scene);
  scene.hub.troubles.push({ kind: 'status', status: 503, body: 'later' });
  await assert.rejects(KojiSession.begin(scene.login), { code: 'koji.hub_unavailable', fate: 'retry' });
  scene.hub.troubles.push({ kind: 'html' });
  await assert.rejects(KojiSession.begin(scene.login), { code: 'koji.answer_malformed' });
  scene.hub.troubles.push({ kind: 'fault', code: 1002, text: 'not a builder' });
  await assert.rejects(KojiSession.begin(scene.login), {
    code: 'koji.login_refused',
    message: /not a builder/,
  });
});

test('nobody logs in over plain HTTP', options, async () => {
  assert.ok(scene);
  const url = scene.hub.url;
  await assert.rejects(KojiSession.begin({ ...scene.login, url }), { code: 'koji.login_insecure' });
});

test('a server without the programs says which one is missing', options, async (context) => {
  assert.ok(scene);
  setVariable(context, 'PATH', scene.temporary);
  await assert.rejects(KojiSession.begin(scene.login), {
    code: 'koji.login_program_missing',
    message: /kinit/,
    fate: 'halt',
  });
});

test('a KDC that says nothing is waited for until the compose is cancelled', options, async (context) => {
  assert.ok(scene);
  const held: Socket[] = [];
  const silent = createServer((socket) => void held.push(socket)).listen(0, '127.0.0.1');
  context.after(() => {
    for (const socket of held) socket.destroy();
    silent.close();
  });
  await once(silent, 'listening');
  const address = silent.address();
  assert.ok(address !== null && typeof address === 'object');
  setVariable(context, 'KRB5_CONFIG', writeConfig(scene.kdc.folder, scene.kdc.realm, address.port));
  const cancelling = new AbortController();
  silent.on('connection', () => cancelling.abort(new Error('cancelled')));
  await assert.rejects(KojiSession.begin(scene.login, { signal: cancelling.signal }), {
    message: 'cancelled',
  });
  assert.deepEqual(readdirSync(scene.temporary), []);
});

test('without a KDC the login is worth another try', options, async () => {
  assert.ok(scene);
  await scene.kdc.stop();
  await assert.rejects(KojiSession.begin(scene.login), { code: 'koji.kerberos_unreachable', fate: 'retry' });
});

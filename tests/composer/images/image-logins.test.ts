import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensurePackages } from '../../services/debian-packages.ts';
import { KERBEROS_PACKAGES, startKdc, startNegotiatingFront } from '../../services/kerberos.ts';
import { makeCertificate } from '../../upstream/koji/tls-front.ts';
import {
  askForDefinition,
  kiwiImage,
  makeLogin,
  openImageScene,
  type ImageScene,
  type ImageSceneOptions,
} from './image-scene.ts';

const kerberos = ensurePackages(KERBEROS_PACKAGES);
const kerberosOptions = kerberos.ready ? {} : { skip: kerberos.reason };

/** Returns why a compose with an image failed, and the methods that the hub was asked. */
async function failWith(options: ImageSceneOptions) {
  await using scene = await openImageScene(options);
  scene.define('refused', kiwiImage);
  const failed = await scene.composer.compose(askForDefinition('refused'));
  assert.equal(failed.state, 'failed');
  return { reason: failed.stateReason ?? '', tasks: scene.builders.tasks() };
}

/** Makes a compose with an image, to its end. */
async function makeImage(scene: ImageScene): Promise<void> {
  scene.define('fine', kiwiImage);
  const { id } = await scene.composer.insert(askForDefinition('fine'));
  const running = scene.composer.run(id);
  await scene.untilTasks(1, running);
  const [task] = scene.builders.tasks();
  scene.builders.finish(task?.id ?? 0, { x86_64: 'F-1-1.x86_64.qcow2', aarch64: null }, 'F-1-1');
  assert.equal((await running).state, 'done');
}

test('a hub that does not know the certificate fails the compose, and says so', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'other-authority-'));
  context.after(() => rmSync(folder, { recursive: true }));
  makeCertificate(folder);
  const config = { koji_login_certificate: makeLogin(folder, 'stranger') };
  const { reason, tasks } = await failWith({ config });
  assert.match(reason, /The Koji hub does not let the service in: /);
  assert.deepEqual(tasks, []);
});

test('a certificate that is not there fails the compose, and its path is not told to everybody', async () => {
  const path = join(tmpdir(), 'there-is-no-certificate.pem');
  const { reason } = await failWith({ config: { koji_login_certificate: path } });
  assert.match(reason, /The certificate for Koji cannot be read/);
});

for (const profile of ['authtype = kerberos', 'keytab = /etc/odcs.keytab\nprincipal = odcs/host']) {
  test(`a profile with ${JSON.stringify(profile)} is refused without a login, before anything is made`, async () => {
    const { reason, tasks } = await failWith({ profile, config: { koji_login_certificate: '' } });
    assert.match(reason, /The Koji profile "images" logs in by Kerberos, and the settings name no keytab/);
    assert.match(reason, /koji_login_certificate/);
    assert.deepEqual(tasks, []);
  });
}

test('with a certificate a keytab of the profile is no matter', async () => {
  await using scene = await openImageScene({ profile: 'keytab = /etc/odcs.keytab' });
  await makeImage(scene);
});

test('a keytab has images made, by a hub behind Kerberos', kerberosOptions, async (context) => {
  await using kdc = await startKdc();
  const principal = `odcs/builder@${kdc.realm}`;
  const keytab = kdc.addPrincipal(principal);
  const before = process.env['KRB5_CONFIG'];
  process.env['KRB5_CONFIG'] = kdc.config;
  context.after(() => {
    if (before === undefined) delete process.env['KRB5_CONFIG'];
    else process.env['KRB5_CONFIG'] = before;
  });
  await using cleanup = new AsyncDisposableStack();
  await using scene = await openImageScene({
    profile: 'authtype = gssapi',
    config: { koji_login_certificate: '', koji_login_keytab: keytab, koji_login_principal: principal },
    startFront: async (hub, certificate) =>
      cleanup.use(await startNegotiatingFront(hub, { kdc, certificate })).url,
  });
  await makeImage(scene);
  assert.ok(scene.server.calls.some(({ user }) => user === principal));
});

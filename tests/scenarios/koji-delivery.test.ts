import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { z } from 'zod';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { startReactor } from '../../src/app/reactor.ts';
import { KojiHub } from '../../src/upstream/koji/hub.ts';
import { makeHost } from '../composer/modules/module-host.ts';
import { ensurePackages } from '../services/debian-packages.ts';
import { sharedPath } from '../shared.ts';
import { startFileServer } from '../upstream/koji/file-server.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import { makeCertificate, startTlsFront } from '../upstream/koji/tls-front.ts';
import { kojiServiceConfig } from './koji-service-config.ts';

const packages = ensurePackages(['dnf', 'rpm', 'openssl']);
const needsPackages = packages.ready ? {} : { skip: packages.reason };

const folder = mkdtempSync(join(tmpdir(), 'koji-delivery-'));
const topDir = sharedPath('pungi', 'koji-topdir');
const hub = await startHubServer(new StateHub().answer);
const files = await startFileServer(topDir);
after(async () => {
  await hub.close();
  await files.close();
  rmSync(folder, { recursive: true, force: true });
});

const createdSchema = z.object({ id: z.number() });
const shownSchema = z.object({ state_name: z.string(), state_reason: z.string() });

/** Starts a service with such a Koji profile and composes once; returns the compose's directory. */
async function compose(
  context: TestContext,
  profile: Readonly<Record<string, string>>,
  body: object,
  delivery: 'copy' | 'reference' = 'copy',
): Promise<string> {
  const directory = mkdtempSync(join(folder, 'service-'));
  const config = await kojiServiceConfig(directory, profile, { delivery });
  const reactor = await startReactor({ config, clock: systemClock, log: createLog('silent') });
  context.after(() => reactor.stop());
  const response = await fetch(`${reactor.url}/api/1/composes/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { id } = createdSchema.parse(await response.json());
  for (;;) {
    const shown = shownSchema.parse(
      await (await fetch(`${reactor.url}/api/1/composes/${id}?wait=10`)).json(),
    );
    if (shown.state_name === 'wait' || shown.state_name === 'generating') continue;
    assert.equal(shown.state_name, 'done', shown.state_reason);
    return join(config.target_dir, `odcs-${id}`, 'compose', 'Temporary');
  }
}

function rpmsBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.rpm'))
    .map((file) => file.slice(file.lastIndexOf('/') + 1))
    .sort();
}

/** The packages that dnf sees in the compose, as `name.arch`. */
async function seenByDnf(context: TestContext, directory: string): Promise<string[]> {
  const host = makeHost(context, `file://${directory}/x86_64/os`);
  const { status, output } = await host.dnf('-q', 'repoquery', '--qf', 'seen %{name}.%{arch}');
  assert.equal(status, 0, output);
  return [...output.matchAll(/^seen (\S+)$/gm)].map(([, name = '']) => name).sort();
}

const mounted = { server: hub.url, topdir: topDir };

test(
  'a compose that refers to Koji holds no RPM, and dnf downloads from Koji',
  needsPackages,
  async (context) => {
    const body = { source: { type: 'tag', source: 'f-small', packages: ['e-zz'] } };
    const directory = await compose(context, { ...mounted, topurl: files.url }, body, 'reference');
    assert.deepEqual(rpmsBelow(directory), []);
    files.requests.length = 0;
    const host = makeHost(context, `file://${directory}/x86_64/os`);
    const install = await host.dnf('install', '--downloadonly', 'e-zz');
    assert.equal(install.status, 0, install.output);
    assert.deepEqual(files.requests, ['GET /packages/e-zz/1/1/x86_64/e-zz-1-1.x86_64.rpm']);
  },
);

test(
  'a multilib compose holds the 32-bit packages of the method with what they need',
  needsPackages,
  async (context) => {
    const source = { type: 'tag', source: 'f-all', packages: ['e-lib-devel'] };
    const alone = await compose(context, mounted, { source });
    assert.deepEqual(
      (await seenByDnf(context, alone)).filter((name) => name.endsWith('.i686')),
      [],
    );
    const multilib = { multilib_arches: ['x86_64'], multilib_method: ['devel'] };
    const both = await compose(context, mounted, { source, ...multilib });
    const seen = await seenByDnf(context, both);
    assert.ok(seen.includes('e-lib-devel.i686') && seen.includes('e-lib-devel.x86_64'), seen.join(' '));
    assert.ok(seen.includes('e-lib.i686'), 'what the 32-bit package requires is there too');
    assert.deepEqual(
      seen.map((name) => name.replace('.', '-1-1.')).sort(),
      rpmsBelow(join(both, 'x86_64/os')).map((file) => file.slice(0, -'.rpm'.length)),
    );
  },
);

test(
  'without dependencies exactly the named packages and their sources are composed',
  needsPackages,
  async (context) => {
    const source = { type: 'tag', source: 'f-all', packages: ['e-needs-lib'] };
    const directory = await compose(context, mounted, { source, flags: ['no_deps'] });
    assert.deepEqual(await seenByDnf(context, directory), ['e-needs-lib.x86_64']);
    assert.deepEqual(rpmsBelow(directory), ['e-needs-lib-1-1.src.rpm', 'e-needs-lib-1-1.x86_64.rpm']);
  },
);

test(
  'hub and files over HTTPS are trusted by the serverca of the profile, and only by it',
  needsPackages,
  async (context) => {
    const certificate = makeCertificate(folder);
    const secureHub = await startTlsFront(hub.url, certificate);
    const secureFiles = await startTlsFront(files.url, certificate);
    context.after(() => {
      secureHub.close();
      secureFiles.close();
    });
    const place = { server: secureHub.url, topurl: secureFiles.url };
    const body = { source: { type: 'tag', source: 'f-small', packages: ['e-zz'] } };
    const directory = await compose(context, { ...place, serverca: certificate.authority }, body);
    assert.deepEqual(rpmsBelow(directory), ['e-zz-1-1.src.rpm', 'e-zz-1-1.x86_64.rpm']);
    const placed = join(directory, 'x86_64/os/Packages/e/e-zz-1-1.x86_64.rpm');
    const original = join(topDir, 'packages/e-zz/1/1/x86_64/e-zz-1-1.x86_64.rpm');
    assert.equal(statSync(placed).size, statSync(original).size);
    assert.deepEqual(readFileSync(placed), readFileSync(original));

    const stranger = new KojiHub({ url: secureHub.url, patience: { tries: 1, offlineMs: 0 } });
    context.after(() => stranger.close());
    await assert.rejects(stranger.call('getLastEvent'), (error: unknown) =>
      /certificate/.test(String(error)),
    );
  },
);

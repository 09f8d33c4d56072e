import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bodhiEvents } from '../../../src/composer/koji/advisory-events.ts';
import { openAdvisoryFinder } from '../../../src/composer/koji/advisory-finder.ts';
import { Koji } from '../../../src/composer/koji/koji.ts';
import { withAdvisories } from '../../../src/composer/koji/with-advisories.ts';
import { PackageStore } from '../../../src/cache/package-store.ts';
import { planCompose, type ReadyPlan } from '../../../src/composer/plan.ts';
import type { SelectPackages } from '../../../src/composer/selection.ts';
import { kojiSource } from '../../../src/composer/koji/koji-source.ts';
import { createLog } from '../../../src/log.ts';
import { connectBodhiAdvisories } from '../../../src/upstream/bodhi-advisories.ts';
import { defaultRequest } from '../../default-request.ts';
import { sharedPath } from '../../shared.ts';
import { startFakeBodhi, type FakeBodhi } from '../../upstream/fake-bodhi.ts';
import { startHubServer } from '../../upstream/koji/hub-server.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';

const update = {
  alias: 'FEDORA-2026-1',
  status: 'stable',
  type: 'security',
  date_pushed: '2026-11-21 10:00:00',
  builds: [{ nvr: 'e-zz-1-1' }, { nvr: 'elsewhere-1-1' }],
};

test('advisories that Bodhi has of the builds are in the updateinfo of a compose, and change its fingerprint', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'odcs-advisories-'));
  const state = new StateHub();
  const server = await startHubServer(state.answer);
  const clock = { now: () => new Date(state.now * 1000) };
  const topDir = sharedPath('pungi', 'koji-topdir');
  const koji = new Koji({
    profile: { name: 'koji', server: server.url, topDir, topUrl: null, serverCa: null, files: [] },
    store: new PackageStore(join(folder, 'store')),
    indexDirectory: join(folder, 'index'),
    clock,
    lookaside: { open: (location) => Promise.resolve(location) },
    isReference: false,
  });
  context.after(async () => {
    koji[Symbol.dispose]();
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const plan = (tag: SelectPackages): Promise<ReadyPlan> => {
    const { signal } = new AbortController();
    const output = { delivery: 'copy', compression: 'gzip' } as const;
    return planCompose(
      { log: createLog('silent'), signal, progress: () => undefined, sources: { tag }, output },
      {
        ...defaultRequest,
        sourceType: 'tag',
        source: ['f-small'],
        packages: ['e-zz'],
        sigkeys: ['aabbccdd', ''],
      },
    );
  };
  const planWith = ({ url }: FakeBodhi): Promise<ReadyPlan> => {
    const finder = openAdvisoryFinder({
      source: connectBodhiAdvisories(url),
      events: bodhiEvents,
      handle: null,
      clock,
    });
    return plan(withAdvisories(kojiSource(koji), finder));
  };
  const without = await plan(kojiSource(koji));
  const knowing = await startFakeBodhi(context, [update]);
  assert.equal((await planWith(await startFakeBodhi(context, []))).fingerprint, without.fingerprint);
  const { selection, fingerprint } = await planWith(knowing);
  assert.notEqual(fingerprint, without.fingerprint);
  assert.equal((await planWith(knowing)).fingerprint, fingerprint);
  const [xml] = selection.documents.filter(({ type }) => type === 'updateinfo');
  const packages = Buffer.from(xml?.bytes ?? [])
    .toString('utf8')
    .match(/<package .*>/g);
  assert.deepEqual(packages, [
    '<package name="e-zz" version="1" release="1" epoch="0" arch="src">',
    '<package name="e-zz" version="1" release="1" epoch="0" arch="x86_64" src="e-zz-1-1.src.rpm">',
  ]);
  assert.deepEqual(selection.remarks, []);
  const broken = await startFakeBodhi(context, [update]);
  broken.faults.push(500);
  const made = await planWith(broken);
  assert.equal(made.fingerprint, without.fingerprint);
  assert.match(made.selection.remarks.join(), /advisories about some builds may be missing/);
});

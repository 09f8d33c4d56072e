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
import { newSelection, type SelectPackages, type SourcePackage } from '../../../src/composer/selection.ts';
import { readUpdateinfo } from '../../../src/rpm/updateinfo.ts';
import type { BuildAdvisory } from '../../../src/upstream/build-advisory.ts';
import { kojiSource } from '../../../src/composer/koji/koji-source.ts';
import { sourcePackage } from '../../../src/composer/source-package.ts';
import { createLog } from '../../../src/log.ts';
import { contentOfPkgid } from '../../../src/model/content-id.ts';
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
      kysely: null,
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

test('an advisory is told anew where its texts, its packages or what it suggests differ from the compose before', async () => {
  const ed = sourcePackage({
    name: 'ed',
    epoch: '0',
    version: '1',
    release: '1',
    arch: 'x86_64',
    sourceRpm: 'ed-1-1.src.rpm',
    fileName: 'ed-1-1.x86_64.rpm',
    payload: contentOfPkgid('0'.repeat(64)),
    sigkey: null,
    size: 1,
    origin: { kind: 'file', path: '/nowhere' },
  });
  const [advisory] = await readUpdateinfo(
    Buffer.from(`<updates><update type="security"><id>A-1</id><title>ed</title>
      <pkglist><collection><package name="ed" version="1" release="1" arch="x86_64"/></collection></pkglist>
    </update></updates>`),
    { where: 'updateinfo', holds: () => true },
  );
  assert.ok(advisory);
  const { collections: _, ...texts } = advisory;
  const first: BuildAdvisory = {
    nvrs: ['ed-1-1'],
    advisory: texts,
    collection: { short: 'F', name: '' },
    suggests: [],
  };
  const compose = async (told: BuildAdvisory, packages: readonly SourcePackage[]): Promise<string> => {
    const binary = packages.map((rpm) => ({ package: rpm, why: 'input' }));
    const trees = ['x86_64', 's390x'].map((arch) => ({
      variant: 'Temporary',
      arch,
      binary: arch === 'x86_64' ? binary : [],
      debug: [],
      source: [],
    }));
    const select: SelectPackages = () =>
      Promise.resolve({
        selection: newSelection({ pins: { source: 'f', kojiEvent: 1 }, trees }),
        reader: { loadFragments: () => assert.fail('nothing is read') },
      });
    const finder = {
      find: () => Promise.resolve({ advisories: [{ ...told }], remark: null }),
      measure: () => [],
    };
    const { signal } = new AbortController();
    const { selection } = await withAdvisories(select, finder)(
      { log: createLog('silent'), signal, progress: () => undefined },
      { ...defaultRequest, sourceType: 'tag', source: ['f'] },
    );
    assert.equal(selection.documents.length, 1);
    return Buffer.from(selection.documents[0]?.bytes ?? []).toString('utf8');
  };
  const before = await compose(first, [ed]);
  assert.match(before, /<title>ed<\/title>[^]*short="F"[^]*<filename>ed-1-1.x86_64.rpm</);
  assert.equal(await compose(first, [ed]), before);
  assert.match(await compose(first, [{ ...ed, fileName: 'other.rpm' }]), /<filename>other.rpm</);
  assert.equal(await compose(first, [ed]), before);
  assert.match(await compose(first, [ed, { ...ed, arch: 'noarch' }]), /arch="noarch"/);
  assert.doesNotMatch(await compose(first, [ed]), /arch="noarch"/);
  assert.match(await compose({ ...first, suggests: ['reboot'] }, [ed]), /<reboot_suggested>/);
  assert.match(await compose({ ...first, collection: { short: 'G', name: '' } }, [ed]), /short="G"/);
  assert.match(await compose({ ...first, advisory: { ...texts, title: 'other' } }, [ed]), /<title>other</);
  assert.equal(await compose(first, [ed]), before);
});

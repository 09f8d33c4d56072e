import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PackageStore } from '../../../src/cache/package-store.ts';
import { Koji } from '../../../src/composer/koji/koji.ts';
import { warmBuild } from '../../../src/composer/koji/warm-build.ts';
import { sharedPath } from '../../shared.ts';
import { startHubServer } from '../../upstream/koji/hub-server.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';

const folder = mkdtempSync(join(tmpdir(), 'koji-warm-'));
const server = await startHubServer(new StateHub().answer);
const profile = { name: 'koji', server: server.url, topUrl: null, serverCa: null, files: [] };
const koji = new Koji({
  profile: { ...profile, topDir: sharedPath('pungi', 'koji-topdir') },
  store: new PackageStore(join(folder, 'store')),
  indexDirectory: folder,
  clock: { now: () => new Date('2026-11-22T12:00:00Z') },
  lookaside: { open: (place) => Promise.resolve(place) },
  isReference: false,
});

after(async () => {
  koji[Symbol.dispose]();
  await server.close();
  rmSync(folder, { recursive: true });
});

const signal = new AbortController().signal;
const arches = new Set(['x86_64', 'noarch', 'src']);

test('a build is read before a compose asks for it, once, for the wanted arches', async () => {
  const wanted = { nvr: 'e-lib-1-1', sigkeys: [], arches };
  const count = await warmBuild(koji, wanted, signal);
  assert.ok(count >= 3);
  assert.equal(koji.index.size, count);
  assert.equal(await warmBuild(koji, wanted, signal), count);
  assert.equal(koji.index.size, count);
});

test('copies that are not signed as wished are left for later', async () => {
  const wanted = { nvr: 'e-prov-aa-1-1', sigkeys: ['aabbccdd'], arches };
  assert.equal(await warmBuild(koji, wanted, signal), 0);
  await assert.rejects(warmBuild(koji, { ...wanted, nvr: 'none-1-1' }, signal), {
    code: 'koji.build_unknown',
  });
});

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { planCompose } from '../../../../src/composer/plan.ts';
import { createLog } from '../../../../src/log.ts';
import { sharedPath } from '../../../shared.ts';
import { startHubServer } from '../../../upstream/koji/hub-server.ts';
import { StateHub } from '../../../upstream/koji/state-hub.ts';
import { folder, modulesOf, openKoji, openTrialSource, requestOf } from '../source-trials.ts';

const state = new StateHub();
const server = await startHubServer(state.answer);
after(() => server.close());

async function planFrom(topDir: string): Promise<readonly string[]> {
  const koji = openKoji(server.url, topDir, () => new Date(state.now * 1000));
  const { signal } = new AbortController();
  const sources = { tag: await openTrialSource('tag', { koji, modules: modulesOf(koji) }) };
  const output = { delivery: 'link', compression: 'zstd' } as const;
  const packages = ['e-zz'];
  const { manifest } = await planCompose(
    { log: createLog('silent'), signal, progress: () => undefined, sources, output },
    requestOf({
      sourceType: 'tag',
      source: ['f-small'],
      packages,
      sigkeys: ['aabbccdd'],
      arches: ['x86_64'],
    }),
  );
  return manifest;
}

test('an unsigned package whose file is gone keeps nobody from composing the others', async () => {
  const topDir = sharedPath('pungi', 'koji-topdir');
  const pruned = mkdtempSync(join(folder, 'pruned-'));
  cpSync(topDir, pruned, { recursive: true });
  for (const path of readdirSync(join(pruned, 'packages'), { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.rpm') && !path.includes('/data/signed/')) rmSync(join(pruned, 'packages', path));
  }
  const manifest = await planFrom(pruned);
  assert.ok(manifest.some((line) => line.includes('e-zz')));
  assert.deepEqual(manifest, await planFrom(topDir));
});

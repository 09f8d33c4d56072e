import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheRegistry } from '../../../../src/cache/cache-registry.ts';
import { matchesAtStart } from '../../../../src/composer/python-pattern.ts';
import { createLog } from '../../../../src/log.ts';
import { openTrialSource, trials } from '../source-trials.ts';

test('configurations that were read are kept, counted with the bytes of their files', async () => {
  const { context, request } = await trials.raw_config();
  const caches = new CacheRegistry();
  const select = await openTrialSource('raw_config', { ...context, caches });
  const kept = () => caches.measure().find(({ name }) => name === 'configurations');
  // What reads configurations is itself read for the first of them.
  assert.equal(kept(), undefined);
  const selecting = {
    log: createLog('silent'),
    signal: new AbortController().signal,
    progress: () => undefined,
  };
  for (let time = 0; time < 2; time += 1) await select(selecting, request);
  assert.equal(kept()?.entries, 1);
  matchesAtStart('^Base', 'BaseOS');
  const patterns = caches.measure().find(({ name }) => name === 'patterns of configurations');
  assert.ok((patterns?.entries ?? 0) > 0);
  assert.ok((kept()?.bytes ?? 0) > 100);
});

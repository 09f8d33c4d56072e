import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Registry } from 'prom-client';
import { registerCacheMetrics } from '../../src/cache/cache-metrics.ts';
import { CacheRegistry } from '../../src/cache/cache-registry.ts';
import { KojiIndex } from '../../src/composer/koji/koji-index.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-caches-'));
after(() => rmSync(folder, { recursive: true }));

test('the metrics tell what each cache holds, in entries and on disk', async () => {
  const index = new KojiIndex(folder, new Date());
  const registry = new Registry();
  const caches = new CacheRegistry();
  caches.register(index);
  for (const entries of [1, 2])
    caches.register({ measure: () => [{ name: 'repositories', entries, bytes: null }] });
  registerCacheMetrics(registry, caches);
  assert.doesNotMatch(await registry.metrics(), /koji/);
  await index.open();
  assert.match(await registry.metrics(), /odcs_cache_bytes{cache="koji packages"} 0\n/);
  const stamp = null;
  const facts = { pkgid: 'a'.repeat(64), size: 1, sigkey: null, excludeArch: [], exclusiveArch: [], stamp };
  const fragments = {
    pkgid: facts.pkgid,
    identity: 'one',
    primary: Buffer.alloc(100),
    locationOffset: 0,
    filelists: Buffer.alloc(10),
    other: Buffer.alloc(1),
  };
  index.add([{ key: 'k:', facts, fragments, record: Buffer.alloc(1) }]);
  const metrics = await registry.metrics();
  assert.match(metrics, /odcs_cache_entries{cache="repositories"} 3\n/);
  assert.match(metrics, /odcs_cache_entries{cache="koji copies"} 1\n/);
  assert.match(metrics, /odcs_cache_entries{cache="koji packages"} 1\n/);
  assert.match(metrics, /odcs_cache_bytes{cache="koji packages"} 112\n/);
  assert.doesNotMatch(metrics, /odcs_cache_bytes{cache="repositories"}/);
  index.close();
});

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Registry } from 'prom-client';
import { registerCacheMetrics } from '../../src/cache/cache-metrics.ts';
import { CacheRegistry } from '../../src/cache/cache-registry.ts';
import { PlacingThread } from '../../src/composer/build/placing-thread.ts';
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

/** Caches that another file measures. */
const measuredElsewhere: Readonly<Record<string, string>> = {
  'cache/copy-facts.ts': 'composer/koji/koji-index.ts',
  'composer/koji/advisory-events.ts': 'composer/koji/advisory-finder.ts',
  'composer/build/place-files.ts': 'composer/build/placing-thread.ts',
  'composer/file-digests.ts': 'composer/build/placing-thread.ts',
  'composer/lock/lock-compose.ts': 'composer/lock/create-locker.ts',
  'composer/sources/raw-config/read-configuration.ts': 'composer/sources/raw-config/open-raw-config.ts',
};

test('every cache in memory is measured, for the registry', () => {
  const root = join(import.meta.dirname, '../../src');
  const keeping = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== 'last-used.ts')
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => /from '(?:lru-cache|.*\/last-used\.ts)'/.test(text));
  const unmeasured = keeping.filter(({ text }) => !/\bmeasure\b/.test(text)).map(({ path }) => path);
  assert.deepEqual(unmeasured.sort(), Object.keys(measuredElsewhere).sort());
  for (const [path, by] of Object.entries(measuredElsewhere)) {
    assert.match(readFileSync(join(root, by), 'utf8'), /\bmeasure\b/, path);
  }
});

test('no module keeps things in a map of its own, which nothing bounds and nobody sees', () => {
  const root = join(import.meta.dirname, '../../src');
  const keeping = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (path) =>
      path.endsWith('.ts') &&
      /^(?:export )?(?:const|let) \w+(?:: [^=]+)? = new Map<.*>\(\);/m.test(
        readFileSync(join(root, path), 'utf8'),
      ),
  );
  assert.deepEqual(keeping, []);
});

test('digests that the placing thread keeps are counted', async () => {
  await using placing = new PlacingThread();
  const counted = (): number | undefined => placing.measure()[0]?.entries;
  assert.equal(counted(), 0);
  const files = ['one', 'two'].map((name) => join(folder, name));
  for (const file of files) writeFileSync(file, file);
  await placing.readDigests([...files, ...files], 'sha256');
  assert.equal(counted(), 2);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Registry } from 'prom-client';
import { systemClock } from '../../../src/clock.ts';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import { retireComposes } from '../../../src/composer/retire.ts';
import { registerStorageMetrics, storageHealth } from '../../../src/composer/storage/storage-health.ts';
import { MARKER, replaceMarker, writeMarker } from '../../../src/composer/storage/storage-marker.ts';
import type { StorageState } from '../../../src/composer/storage/storage-state.ts';
import { StorageWatch } from '../../../src/composer/storage/storage-watch.ts';
import { createLog } from '../../../src/log.ts';
import { openTestComposer, repoRequest } from '../open-test-composer.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-storage-watch-'));
const mountPoint = join(folder, 'mount');
const watched = { default: mountPoint };
mkdirSync(mountPoint);

const mount = (...options: readonly string[]): boolean => spawnSync('mount', options).status === 0;
const unmount = (place: string): boolean => spawnSync('umount', [place]).status === 0;
const canMount = mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mountPoint) && unmount(mountPoint);
const mounting = canMount ? {} : { skip: 'mounting a file system needs root' };

const composer = await openTestComposer();
const repository = createDemoRepository(join(composer.folder, 'repository'));
before(() => repository.add('base', systemClock.now()));
after(async () => {
  unmount(mountPoint);
  await composer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const request = () => repoRequest(repository.directory, ['curl'], { flags: ['no_reuse'] });

/** Mounts a file system of its own, with the marker of the service, and gives it to the body. */
async function onMount(options: string, body: (storage: StorageWatch) => Promise<void>): Promise<void> {
  assert.ok(mount('-t', 'tmpfs', '-o', options, 'tmpfs', mountPoint));
  try {
    await writeMarker(mountPoint, 'mine');
    await using storage = new StorageWatch({
      targetDirs: watched,
      service: 'mine',
      log: createLog('silent'),
    });
    await body(storage);
  } finally {
    unmount(mountPoint);
  }
}

test('a mounted directory is well and tells its room', mounting, () =>
  onMount('size=1m,nr_inodes=100', async (storage) => {
    const state = await storage.look('default');
    const { bavail, bsize, ffree } = statfsSync(mountPoint);
    assert.deepEqual(state, { kind: 'well', bytesFree: bavail * bsize, inodesFree: ffree });
    assert.deepEqual(storageHealth(storage), {
      name: 'storage',
      isWell: true,
      detail: '1 target directories can be written.',
    });
    const registry = new Registry();
    registerStorageMetrics(registry, storage);
    const metrics = await registry.metrics();
    assert.match(metrics, new RegExp(`odcs_storage_free_bytes{target_dir="default"} ${bavail * bsize}\n`));
    assert.match(metrics, new RegExp(`odcs_storage_free_inodes{target_dir="default"} ${ffree}\n`));
    assert.match(metrics, /odcs_storage_writable{target_dir="default"} 1\n/);
  }),
);

test('a directory that is unmounted is noticed, and well again once it is back', mounting, () =>
  onMount('size=1m', async (storage) => {
    assert.equal(await storage.trouble('default'), null);
    assert.ok(unmount(mountPoint));
    assert.match((await storage.trouble('default'))?.message ?? '', /"default" is not mounted/);
    assert.equal(await storage.isOurs('default'), false);
    assert.equal(storageHealth(storage).isWell, false);
    const registry = new Registry();
    registerStorageMetrics(registry, storage);
    assert.match(await registry.metrics(), /odcs_storage_writable{target_dir="default"} 0\n/);
    assert.ok(mount('-t', 'tmpfs', 'tmpfs', mountPoint));
    await writeMarker(mountPoint, 'mine');
    assert.equal(await storage.trouble('default'), null);
  }),
);

test('a directory that became read-only, full or out of inodes is told apart', mounting, async () => {
  await onMount('size=1m', async (storage) => {
    assert.ok(mount('-o', 'remount,ro', mountPoint));
    assert.match((await storage.trouble('default'))?.message ?? '', /cannot be written/);
    assert.ok(mount('-o', 'remount,rw', mountPoint));
    assert.equal(await storage.trouble('default'), null);
  });
  await onMount('size=64k', async (storage) => {
    assert.throws(() => writeFileSync(join(mountPoint, 'filler'), Buffer.alloc(1 << 20)), { code: 'ENOSPC' });
    const trouble = await storage.trouble('default');
    assert.match(trouble?.message ?? '', /"default" is full/);
    assert.equal(trouble?.fate, 'retry');
    assert.equal(await storage.isOurs('default'), true, 'removing what expired makes room');
  });
  await onMount('size=1m,nr_inodes=2', async (storage) => {
    assert.match((await storage.trouble('default'))?.message ?? '', /no inodes left/);
  });
});

test('two services on one directory notice each other', async () => {
  const directory = join(folder, 'shared');
  mkdirSync(directory);
  await writeMarker(directory, 'mine');
  await using storage = new StorageWatch({
    targetDirs: { default: directory },
    service: 'mine',
    log: createLog('silent'),
  });
  assert.equal(await storage.trouble('default'), null);
  await replaceMarker(directory, 'theirs');
  assert.match((await storage.trouble('default'))?.message ?? '', /belongs to another service/);
  assert.equal(await storage.isOurs('default'), false);
});

test('a directory that does not answer is told of in time, and asked once', async () => {
  const hung = Promise.withResolvers<StorageState>();
  let asked = 0;
  const lookAt = (): Promise<StorageState> => {
    asked += 1;
    return hung.promise;
  };
  const log = createLog('silent');
  await using storage = new StorageWatch({ targetDirs: watched, service: 'mine', log, patience: 1, lookAt });
  for (let look = 0; look < 3; look += 1) {
    assert.match((await storage.trouble('default'))?.message ?? '', /"default" cannot be read/);
  }
  assert.equal(asked, 1, 'a file system that hangs is not asked by ever more threads');
  hung.resolve({ kind: 'well', bytesFree: 1, inodesFree: null });
  assert.equal(await storage.trouble('default'), null);
});

test('a compose waits for its storage, says so, and is made once it is back', mounting, async () => {
  const { id } = await composer.insert(request());
  assert.ok(mount('-t', 'tmpfs', 'tmpfs', composer.targetDir));
  let isMounted = true;
  try {
    const running = composer.run(id);
    let reason: string | null = '';
    for (let look = 0; look < 200 && !reason?.startsWith('Compose waits'); look += 1) {
      reason = (await composer.find(id)).stateReason;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(reason, 'Compose waits for its storage. The target directory "default" is not mounted.');
    assert.deepEqual(readdirSync(composer.targetDir), [], 'nothing is written below the mount point');
    assert.ok(unmount(composer.targetDir));
    isMounted = false;
    const compose = await running;
    assert.equal(compose.state, 'done', compose.stateReason ?? '');
    assert.ok(existsSync(join(composer.targetDir, `odcs-${id}`)));
  } finally {
    if (isMounted) unmount(composer.targetDir);
  }
});

test('an attempt that others follow does not wait for ever', mounting, async () => {
  const { id } = await composer.insert(request());
  assert.ok(mount('-t', 'tmpfs', 'tmpfs', composer.targetDir));
  const { storage } = composer.context;
  try {
    const trouble = await storage.trouble('default');
    assert.deepEqual([trouble?.code, trouble?.fate], ['storage.not_ready', 'retry']);
    const abort = new AbortController();
    const running = composer.run(id, { signal: abort.signal, isLast: false });
    abort.abort(new Error('the process stops'));
    await assert.rejects(running, /the process stops/);
    assert.equal((await composer.find(id)).state, 'generating');
  } finally {
    unmount(composer.targetDir);
  }
});

test('the janitor removes nothing from a directory that is not ours', async () => {
  const stray = join(composer.targetDir, 'odcs-900000');
  mkdirSync(stray);
  const marker = join(composer.targetDir, MARKER);
  const service = await composer.context.database.kysely
    .selectFrom('service_identity')
    .select('id')
    .executeTakeFirstOrThrow();
  rmSync(marker);
  await retireComposes(composer.context);
  assert.ok(existsSync(stray), 'without a marker');
  await writeMarker(composer.targetDir, 'theirs');
  await retireComposes(composer.context);
  assert.ok(existsSync(stray), 'with the marker of another service');
  await replaceMarker(composer.targetDir, service.id);
  await retireComposes(composer.context);
  assert.equal(existsSync(stray), false);
});

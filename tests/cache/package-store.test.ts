import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PackageStore } from '../../src/cache/package-store.ts';

const root = mkdtempSync(join(tmpdir(), 'package-store-'));
after(() => rmSync(root, { recursive: true }));

const HOUR = 60 * 60_000;
const start = Date.parse('2026-11-22T12:00:00Z');

/** Adds a package of a kilobyte that was used some hours after the start; returns its path. */
async function add(store: PackageStore, number: number, hours: number, now = start): Promise<string> {
  const content = Buffer.alloc(1024, `${number} `);
  const digest = createHash('sha256').update(content).digest('hex');
  const incoming = store.incomingPath(String(number));
  writeFileSync(incoming, content);
  const { path } = await store.add(incoming, { digest, size: 1024, where: 'here' }, new Date(now));
  const used = new Date(start + hours * HOUR);
  utimesSync(path, used, used);
  return path;
}

test('what no compose links to stays within the limit while packages are added, the last used of it', async () => {
  const store = new PackageStore(join(root, 'limit'), 16 * 1024);
  const linked = await add(store, 0, 0);
  linkSync(linked, join(root, 'linked.rpm'));
  const paths: string[] = [];
  const now = start + 20 * HOUR;
  for (let number = 1; number <= 60; number += 1) {
    paths.push(await add(store, number, number / 10, now));
    const unlinked = paths.filter((path) => existsSync(path)).length;
    assert.ok(unlinked <= 16 + 3, `${unlinked} KiB after ${number} packages`);
  }
  assert.ok(existsSync(linked), 'what a compose links to is not counted');
  assert.ok(paths.slice(-10).every((path) => existsSync(path)));
  assert.ok(paths.slice(0, 40).every((path) => !existsSync(path)));
  const [size] = store.measure();
  assert.equal(size?.entries, 1 + paths.filter((path) => existsSync(path)).length);
  assert.equal(size?.bytes, 1024 * (size?.entries ?? 0));
});

test('what was used within the hour stays, whatever the limit is: a compose may be about to link to it', async () => {
  const store = new PackageStore(join(root, 'fresh'), 1024);
  const now = start + 2 * HOUR;
  const paths = [await add(store, 1, 1.5, now), await add(store, 2, 1.6, now), await add(store, 3, 0.5, now)];
  await store.prune(new Date(now));
  assert.deepEqual(
    paths.map((path) => existsSync(path)),
    [true, true, false],
  );
});

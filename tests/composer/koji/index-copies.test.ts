import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ReactorError } from '../../../src/model/errors.ts';
import { PackageStore } from '../../../src/cache/package-store.ts';
import { indexCopies, type KojiFileSource } from '../../../src/composer/koji/index-copies.ts';
import { openTopDir } from '../../../src/composer/koji/koji-files.ts';
import { openKojiHttpFiles } from '../../../src/composer/koji/koji-http-files.ts';
import { KojiIndex } from '../../../src/composer/koji/koji-index.ts';
import { makePackageSet, type KojiCopy } from '../../../src/composer/koji/koji-package-set.ts';
import { chooseCopies, readSigningWish } from '../../../src/composer/koji/signing.ts';
import { getScratchRpms } from '../../../src/upstream/koji/hub-tasks.ts';
import { cachePlace } from '../../../src/cache/cache-place.ts';
import { readRecordHead } from '../../../src/rpm/record-bytes.ts';
import { FACTS_MAKING } from '../../../src/cache/copy-facts.ts';
import { FRAGMENTS_MAKING } from '../../../src/cache/fragment-cache.ts';
import { listTaggedRpms } from '../../../src/upstream/koji/hub-tags.ts';
import { KojiHub } from '../../../src/upstream/koji/hub.ts';
import { sharedPath } from '../../shared.ts';
import { startFileServer } from '../../upstream/koji/file-server.ts';
import { ServedFault, startHubServer } from '../../upstream/koji/hub-server.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';

const folder = mkdtempSync(join(tmpdir(), 'koji-index-'));
const topDir = join(folder, 'top');
cpSync(sharedPath('pungi', 'koji-topdir'), topDir, { recursive: true });
const now = new Date('2026-11-22T12:00:00Z');
const state = new StateHub();
const checksums = new Map<number, string>();
const server = await startHubServer((call) => {
  if (call.method !== 'getRPMChecksums') return state.answer(call);
  const sha256 = checksums.get(Number(call.args[0]));
  if (sha256 === undefined) throw new ServedFault(1000, 'Invalid method: getRPMChecksums');
  return { value: { '': { sha256, md5: '' } } };
});
const hub = new KojiHub({ url: server.url });
const fileServer = await startFileServer(topDir);
const http = openKojiHttpFiles({ topUrl: fileServer.url });
const opened: KojiIndex[] = [];

after(async () => {
  for (const index of opened) index.close();
  hub.close();
  http.close();
  await server.close();
  await fileServer.close();
  rmSync(folder, { recursive: true });
});

let count = 0;
function newIndex(): { index: KojiIndex; directory: string } {
  count += 1;
  const directory = join(folder, `index-${count}`);
  return { index: openIndex(directory), directory };
}

function openIndex(directory: string): KojiIndex {
  const index = new KojiIndex(directory, now);
  opened.push(index);
  return index;
}

const local: KojiFileSource = { kind: 'directory', files: openTopDir(topDir) };

async function copiesOf(tag: string, sigkeys: readonly string[] = []): Promise<readonly KojiCopy[]> {
  const content = await listTaggedRpms(hub, { tag, inherit: true });
  const arches = new Set(['x86_64', 'i686', 'noarch', 'src']);
  const extra = { builds: [], scratch: await getScratchRpms(hub, [1000]) };
  const packages = makePackageSet(content, extra, { builds: [], scratchTasks: [], arches, onlyNames: null });
  return chooseCopies(packages, readSigningWish(sigkeys), local.files, {
    has: () => false,
    add: () => undefined,
  });
}

test('a tag is indexed once, from a top directory, and is known when opened again', async () => {
  const { index, directory } = newIndex();
  const copies = await copiesOf('f-all', ['aabbccdd', '']);
  const progress: number[] = [];
  const context = { hub, source: local, index, now };
  const indexed = await indexCopies({ ...context, progress: (done) => progress.push(done) }, copies);
  assert.equal(indexed.length, copies.length);
  assert.equal(progress.at(-1), index.size);
  const lib = indexed.find(
    ({ copy }) => copy.package.rpm.name === 'e-lib' && copy.package.rpm.arch === 'x86_64',
  );
  assert.ok(lib);
  const cached = index.package(lib);
  assert.equal(readRecordHead(cached.record).name, 'e-lib');
  assert.equal(cached.fragments.pkgid, lib.facts.pkgid);
  const excluded = indexed.filter(({ facts }) => facts.excludeArch.length + facts.exclusiveArch.length > 0);
  assert.ok(
    excluded.length >= 2 && excluded.every(({ copy }) => copy.package.rpm.name.startsWith('e-noarch-excl')),
  );

  const again = openIndex(directory);
  const second = await indexCopies(
    { ...context, index: again, progress: () => assert.fail('read again') },
    copies,
  );
  assert.deepEqual(second, indexed);
});

test('metadata that the disk has lost are said to be lost once, and then read again', async () => {
  const { index, directory } = newIndex();
  const copies = await copiesOf('f-small');
  const context = { hub, source: local, index, now };
  const [first, second] = await indexCopies(context, copies);
  assert.ok(first && second);
  assert.equal(index.package(first), index.package(first));
  const kept = index.package(second).fragments.primary;
  const packs = cachePlace(directory, FRAGMENTS_MAKING);
  for (const file of readdirSync(packs)) if (file.endsWith('.pack')) truncateSync(join(packs, file));
  assert.throws(() => index.package(first).fragments.primary, { code: 'cache.entry_broken', fate: 'retry' });
  assert.throws(() => index.package(first), { code: 'koji.index_damaged', fate: 'retry' });
  assert.equal(index.facts(first.key), undefined);
  for (const copy of copies) {
    const [again] = await indexCopies(context, [copy]);
    assert.ok(again);
    // What is not known to be lost is found out at the next access.
    try {
      assert.ok(index.package(again).fragments.primary.byteLength > 0);
    } catch (error) {
      assert.equal(error instanceof ReactorError && error.code, 'cache.entry_broken');
      assert.throws(() => index.package(again), { code: 'koji.index_damaged' });
    }
  }
  const healed = await indexCopies(context, copies);
  assert.deepEqual(
    healed.map(({ facts }) => facts.pkgid),
    [first, second, ...healed.slice(2)].map(({ facts }) => facts.pkgid),
  );
  const [, healedSecond] = healed;
  assert.ok(healedSecond);
  assert.deepEqual(index.package(healedSecond).fragments.primary, kept);
});

test('an interrupted first indexing goes on where it was', async () => {
  const { index, directory } = newIndex();
  const copies = await copiesOf('f-all');
  const controller = new AbortController();
  const context = { hub, source: local, now, workers: 0, signal: controller.signal };
  const stop = indexCopies(
    { ...context, index, progress: () => controller.abort(new Error('stop')) },
    copies,
  );
  await assert.rejects(stop, /stop/);
  const held = index.size;
  assert.ok(held > 0 && held < copies.length);
  appendFileSync(cachePlace(directory, FACTS_MAKING), 'half a line\tof a cra');
  const again = openIndex(directory);
  const totals: number[] = [];
  await indexCopies(
    { hub, source: local, index: again, now, progress: (_, total) => totals.push(total) },
    copies,
  );
  assert.ok((totals[0] ?? 0) <= copies.length - held);
});

test('over HTTP the headers are enough where the hub tells the digests, and agree with the files', async () => {
  const copies = await copiesOf('f-small');
  const fromFiles = await indexCopies({ hub, source: local, index: newIndex().index, now }, copies);
  const store = new PackageStore(join(folder, 'store'));
  const remote: KojiFileSource = { kind: 'http', files: http, store };
  for (const { copy, facts } of fromFiles) {
    if (copy.package.kind === 'build') checksums.set(copy.package.rpm.id, facts.pkgid);
  }
  fileServer.requests.length = 0;
  const { index } = newIndex();
  const fromHeaders = await indexCopies({ hub, source: remote, index, now }, copies);
  assert.deepEqual(
    fromHeaders.map(({ facts }) => facts),
    fromFiles.map(({ facts }) => ({ ...facts, stamp: null })),
  );
  assert.ok(
    fileServer.requests
      .filter((line) => line.startsWith('GET') && !line.includes('/work/'))
      .every((line) => line.includes('bytes=0-32767')),
  );
  checksums.clear();
  const fromWhole = await indexCopies({ hub, source: remote, index: newIndex().index, now }, copies);
  assert.deepEqual(
    fromWhole.map(({ facts }) => facts),
    fromFiles.map(({ facts }) => ({ ...facts, stamp: null })),
  );
  assert.ok(store.find(fromFiles[0]?.facts.pkgid ?? '', now));
});

test('over HTTP a copy that two sets have in common is read once, when both are read at the same time', async () => {
  const copies = await copiesOf('f-small');
  const store = new PackageStore(join(folder, 'store-of-two'));
  const remote: KojiFileSource = { kind: 'http', files: http, store };
  for (const { copy, facts } of await indexCopies(
    { hub, source: local, index: newIndex().index, now },
    copies,
  )) {
    if (copy.package.kind === 'build') checksums.set(copy.package.rpm.id, facts.pkgid);
  }
  const { index } = newIndex();
  fileServer.requests.length = 0;
  await Promise.all([
    indexCopies({ hub, source: remote, index, now }, copies),
    indexCopies({ hub, source: remote, index, now }, copies.slice(1)),
  ]);
  const read = fileServer.requests.filter((line) => line.startsWith('GET'));
  checksums.clear();
  assert.equal(read.length, new Set(copies.map(({ path }) => path)).size, read.join(', '));
});

test('over HTTP headers are asked for many at once, whole files few at once', async () => {
  const copies = (await copiesOf('f-small')).filter(({ package: { kind } }) => kind === 'build');
  await using far = await startFarServer();
  const { files, most } = far;
  const remote = (name: string): KojiFileSource => ({
    kind: 'http',
    files,
    store: new PackageStore(join(folder, name)),
  });
  const read = async (name: string): Promise<number> => {
    most.atOnce = 0;
    await indexCopies({ hub, source: remote(name), index: newIndex().index, now }, copies);
    return most.atOnce;
  };
  assert.equal(await read('few'), 1);
  for (const { copy, facts } of await indexCopies(
    { hub, source: local, index: newIndex().index, now },
    copies,
  )) {
    if (copy.package.kind === 'build') checksums.set(copy.package.rpm.id, facts.pkgid);
  }
  assert.equal(await read('many'), 3);
  checksums.clear();
});

/** A file server that takes a while to answer, and who reads of it two whole files or six headers at once. */
async function startFarServer() {
  const farServer = await startFileServer(topDir, { delayMs: 20 });
  const files = openKojiHttpFiles({ topUrl: farServer.url, parallel: 2, parallelHeaders: 6 });
  return {
    files,
    most: farServer.most,
    async [Symbol.asyncDispose]() {
      files.close();
      await farServer.close();
    },
  };
}

test('a file whose payload is another than the hub lists is named with its RPM', async () => {
  const [first] = await copiesOf('f-small');
  assert.ok(first?.package.kind === 'build');
  const { package: rpm } = first;
  const payloadHash = 'f'.repeat(32);
  const other = { ...first, lastIndexed: null, package: { ...rpm, rpm: { ...rpm.rpm, payloadHash } } };
  await assert.rejects(indexCopies({ hub, source: local, index: newIndex().index, now }, [other]), {
    code: 'koji.header_differs',
    message: /is not what the Koji hub lists: its payload hash is [0-9a-f]{32}\./,
  });
});

test('a file that is missing or another than the hub lists is named with its RPM', async () => {
  const copies = (await copiesOf('f-small')).filter(({ package: rpm }) => rpm.rpm.name === 'e-zz');
  const [first] = copies;
  assert.ok(first);
  const path = join(topDir, first.path);
  const kept = join(folder, 'kept.rpm');
  copyFileSync(path, kept);
  copyFileSync(join(topDir, 'packages/e-lib/1/1/src/e-lib-1-1.src.rpm'), path);
  await assert.rejects(indexCopies({ hub, source: local, index: newIndex().index, now }, copies), {
    code: 'koji.header_differs',
    message: `The file of e-zz-1-1.${first.package.rpm.arch} is not what the Koji hub lists: it is e-lib-0:1-1.src.`,
    where: path,
  });
  rmSync(path);
  await assert.rejects(indexCopies({ hub, source: local, index: newIndex().index, now }, copies), {
    code: 'koji.file_missing',
    where: path,
  });
  copyFileSync(kept, path);
});

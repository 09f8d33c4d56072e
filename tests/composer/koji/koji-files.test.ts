import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  existsSync,
  linkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { PackageStore } from '../../../src/cache/package-store.ts';
import { fetchPackages, type FetchContext } from '../../../src/composer/fetch-packages.ts';
import { openTopDir } from '../../../src/composer/koji/koji-files.ts';
import { openKojiHttpFiles, type KojiHttpFiles } from '../../../src/composer/koji/koji-http-files.ts';
import { rpmPath, urlOfPath } from '../../../src/upstream/koji/koji-path.ts';
import { startFileServer, type FileServer } from '../../upstream/koji/file-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'koji-files-'));
const topDir = join(folder, 'top');
const servers: FileServer[] = [];
const opened: KojiHttpFiles[] = [];
const now = new Date('2026-11-22T12:00:00Z');

after(async () => {
  for (const files of opened) files.close();
  for (const server of servers) await server.close();
  rmSync(folder, { recursive: true });
});

function put(path: string, content: Buffer): { path: string; digest: string; size: number } {
  const full = join(topDir, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return { path, digest: createHash('sha256').update(content).digest('hex'), size: content.length };
}

const big = put('packages/a/1/1^git~1/x86_64/a+b-1-1^git~1.x86_64.rpm', Buffer.alloc(300_000, 'abcdefg'));
const small = put('packages/b/1/1/noarch/b-1-1.noarch.rpm', Buffer.from('small'));
mkdirSync(join(topDir, 'vol', 'fast', 'packages', 'c', '1', '1', 'noarch'), { recursive: true });
writeFileSync(join(topDir, 'vol/fast/packages/c/1/1/noarch/c-1-1.noarch.rpm'), 'moved');
mkdirSync(join(topDir, 'packages', 'c', '1'), { recursive: true });
symlinkSync('../../../vol/fast/packages/c/1/1', join(topDir, 'packages/c/1/1'));

async function serve(
  options: { ranges?: boolean } = {},
): Promise<{ server: FileServer; files: KojiHttpFiles }> {
  const server = await startFileServer(topDir, { ...options, prefix: '/kojifiles' });
  const files = openKojiHttpFiles({ topUrl: server.url, parallel: 4, sleep: () => Promise.resolve() });
  servers.push(server);
  opened.push(files);
  return { server, files };
}

interface KojiWanted {
  readonly path: string;
  readonly digest: string | null;
  readonly size: number | null;
}

function fetchFrom(
  files: KojiHttpFiles,
  context: Omit<FetchContext, 'http' | 'now'>,
  wanted: readonly KojiWanted[],
): ReturnType<typeof fetchPackages> {
  const named = wanted.map(({ path, digest, size }) => ({ url: files.urlOf(path), digest, size }));
  return fetchPackages({ ...context, now, http: files.http }, named);
}

let stores = 0;
function newStore(): PackageStore {
  stores += 1;
  return new PackageStore(join(folder, `store-${stores}`));
}

test('paths follow volume, key and the name of the RPM, not of the build', () => {
  const build = { packageName: 'mini-curl', version: '8.9', release: '2.fc42', volume: 'DEFAULT' };
  const rpm = { name: 'libcurl', epoch: '0', version: '8.9', release: '2.fc42', arch: 'i686' };
  assert.equal(rpmPath(build, rpm, null), 'packages/mini-curl/8.9/2.fc42/i686/libcurl-8.9-2.fc42.i686.rpm');
  assert.equal(
    rpmPath({ ...build, volume: 'fast' }, rpm, 'EE86B71C'),
    'vol/fast/packages/mini-curl/8.9/2.fc42/data/signed/ee86b71c/i686/libcurl-8.9-2.fc42.i686.rpm',
  );
  assert.equal(urlOfPath('http://h/t/', 'a/b^1~2+3,4'), 'http://h/t/a/b%5E1%7E2%2B3%2C4');
});

test('a top directory is read with its volumes and symbolic links', async () => {
  const files = openTopDir(topDir);
  const paths = ['packages/c/1/1/noarch/c-1-1.noarch.rpm', 'vol/fast/packages/c/1/1/noarch/c-1-1.noarch.rpm'];
  const [first, second, none] = await files.look([...paths, 'packages/none.rpm']);
  assert.deepEqual([first?.size, second?.size, none], [5, 5, null]);
  assert.equal(Buffer.from(await files.read(small.path, 2, 100)).toString(), 'all');
  await assert.rejects(files.read('packages/none.rpm', 0, 1), { code: 'koji.file_missing' });
  assert.throws(() => openTopDir(join(folder, 'nowhere')), { code: 'koji.topdir_missing', fate: 'halt' });
});

for (const ranges of [true, false]) {
  test(`parts of files come over HTTP from a server with${ranges ? '' : 'out'} ranges`, async () => {
    const { files, server } = await serve({ ranges });
    const expected = readFileSync(join(topDir, big.path));
    assert.deepEqual(Buffer.from(await files.read(big.path, 7, 1000)), expected.subarray(7, 1007));
    assert.deepEqual(Buffer.from(await files.read(small.path, 0, 32_768)).toString(), 'small');
    const looks = await files.look([big.path, 'packages/none.rpm', small.path]);
    assert.deepEqual(
      looks.map((look) => look?.size ?? null),
      [300_000, null, 5],
    );
    await assert.rejects(files.read('packages/none.rpm', 0, 1), { code: 'koji.file_missing' });
    server.troubles.push({ kind: 'status', status: 503 });
    assert.equal((await files.look([small.path]))[0]?.size, 5);
    server.troubles.push({ kind: 'status', status: 403 });
    await assert.rejects(files.look([small.path]), { code: 'koji.files_refused', fate: 'drop' });
  });

  test(`an interrupted download from a server with${ranges ? '' : 'out'} ranges is finished and checked`, async () => {
    const { files, server } = await serve({ ranges });
    server.troubles.push({ kind: 'cut', afterBytes: 200_000 });
    const store = newStore();
    const [stored] = await fetchFrom(files, { store }, [big]);
    assert.equal(stored?.digest, big.digest);
    assert.ok(await store.verify(big.digest));
    const resumed = server.requests.some((line) => /bytes=[1-9]/.test(line));
    assert.ok(resumed || !ranges || server.requests.length === 2);
    assert.equal(server.requests.length, 2);
  });
}

test('what the store has is not asked for again', async () => {
  const { files, server } = await serve();
  const store = newStore();
  const progress: number[] = [];
  await fetchFrom(files, { store, onProgress: (done) => progress.push(done) }, [big, small]);
  assert.deepEqual(progress, [1, 2]);
  const count = server.requests.length;
  const again = await fetchFrom(files, { store }, [big, small]);
  assert.equal(server.requests.length, count);
  assert.equal(readFileSync(again[1]?.path ?? '').toString(), 'small');
});

test('another content than promised does not enter the store', async () => {
  const { files } = await serve();
  const store = newStore();
  const wrong = { ...small, digest: big.digest };
  await assert.rejects(fetchFrom(files, { store }, [wrong]), { code: 'store.digest_differs' });
  await assert.rejects(fetchFrom(files, { store }, [{ ...small, size: 4 }]), {
    code: 'store.size_differs',
  });
  assert.equal(existsSync(store.pathOf(big.digest)), false);
  await assert.rejects(fetchFrom(files, { store }, [{ ...small, path: 'none.rpm' }]), {
    code: 'koji.file_missing',
  });
});

test('pruning keeps what a compose links to and what was used lately', async () => {
  const { files } = await serve();
  const store = newStore();
  await fetchFrom(files, { store }, [big, small]);
  const used = new Date('2026-11-22T13:00:00Z');
  utimesSync(store.pathOf(big.digest), now, now);
  utimesSync(store.pathOf(small.digest), now, now);
  store.link(big.digest, join(folder, 'linked.rpm'));
  const dayAfter = (time: string): Date => new Date(Date.parse(time) + 24 * 60 * 60_000);
  assert.equal(await store.prune(dayAfter(now.toISOString())), 0);
  assert.ok(store.find(small.digest, used));
  assert.equal(await store.prune(dayAfter('2026-11-22T12:30:00Z')), 0);
  assert.equal(await store.prune(dayAfter('2026-11-22T14:00:00Z')), 5);
  assert.equal(store.find(small.digest, used), null);
  assert.ok(store.find(big.digest, used));
});

test('a damaged file in the store is found', async () => {
  const store = newStore();
  const incoming = store.incomingPath('x');
  linkSync(join(topDir, small.path), incoming);
  await store.add(incoming, { digest: small.digest, size: 5, where: 'x' }, now);
  assert.ok(await store.verify(small.digest));
  writeFileSync(store.pathOf(small.digest), 'smell');
  assert.equal(await store.verify(small.digest), false);
  assert.equal(await store.verify(big.digest), false);
});

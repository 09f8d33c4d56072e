import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { fetchPackages } from '../../src/composer/fetch-packages.ts';
import { PackageStore } from '../../src/cache/package-store.ts';
import { runCompose } from '../../src/composer/run-compose.ts';
import { openKojiHttpFiles } from '../../src/composer/koji/koji-http-files.ts';
import { kojiSource } from '../../src/composer/koji/koji-source.ts';
import { Koji } from '../../src/composer/koji/koji.ts';
import { RepositoryCache } from '../../src/composer/repositories/repository-cache.ts';
import { transaction } from '../../src/database/transaction.ts';
import { cancelCompose, lockToEnd } from '../../src/lifecycle/cancel-compose.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { defaultRequest } from '../default-request.ts';
import { sharedPath } from '../shared.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import { openTestComposer } from './open-test-composer.ts';

const composer = await openTestComposer();
const state = new StateHub();
const server = await startHubServer(state.answer);
const clock = { now: () => new Date(state.now * 1000) };
const koji = new Koji({
  profile: {
    name: 'k',
    server: server.url,
    topDir: sharedPath('pungi', 'koji-topdir'),
    topUrl: null,
    serverCa: null,
    files: [],
  },
  store: new PackageStore(makeFolder('store')),
  indexDirectory: join(composer.folder, 'index'),
  clock,
  lookaside: { open: (place) => Promise.resolve(place) },
  isReference: false,
  // The hub is silent once; then it is asked again.
  hub: { patience: { silenceMs: 2_000 } },
});
after(async () => {
  koji[Symbol.dispose]();
  await composer[Symbol.asyncDispose]();
  await server.close();
});

function makeFolder(name: string): string {
  const path = join(composer.folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}

const cancelled = (): ReactorError => new ReactorError('compose.cancelled', 'Canceled by alice');

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}

async function cancel(id: number): Promise<void> {
  await transaction(composer.context.database, async (tx) => {
    const locked = await lockToEnd(tx, id);
    assert.ok(locked !== undefined);
    assert.equal(await cancelCompose(tx, locked, 'alice'), 'requested');
  });
}

for (const way of ['is cancelled', 'runs out of time'] as const) {
  test(`a compose that ${way} leaves another one that shares its reading of a tag alone`, async () => {
    const context = { ...composer.context, sources: { tag: kojiSource(koji) } };
    const request = {
      ...defaultRequest,
      sourceType: 'tag' as const,
      source: ['f-small'],
      packages: null,
      sigkeys: [],
      flags: ['no_reuse' as const],
    };
    const [a, b] = [await composer.insert(request), await composer.insert(request)];
    const attempt = { signal: new AbortController().signal, number: 1, isLast: true };
    const before = server.requests.count;
    server.troubles.push({ kind: 'silence' });
    const contextOfA = way === 'is cancelled' ? context : { ...context, composeTimeout: 1 };
    const ofA = runCompose(contextOfA, a.id, attempt);
    await until(() => server.requests.count > before);
    const ofB = runCompose(context, b.id, attempt);
    if (way === 'is cancelled') await cancel(a.id);
    await ofA;
    assert.equal(server.requests.count, before + 1, 'the reading was over before the first one left');
    await ofB;
    const [endA, endB] = [await composer.find(a.id), await composer.find(b.id)];
    assert.equal(endA.state, 'failed');
    assert.match(endA.stateReason ?? '', /Canceled by alice|more time than allowed/);
    assert.equal(endB.state, 'done', endB.stateReason ?? '');
  });
}

interface HeldServer extends AsyncDisposable {
  readonly url: string;
  /** Requests that came. */
  readonly asked: string[];
  /** Lets the server answer what waits, and all that comes. */
  readonly release: () => void;
}

/** A server whose answers wait until they are released. */
async function holdAnswers(answer: (path: string, response: ServerResponse) => void): Promise<HeldServer> {
  const asked: string[] = [];
  const released = Promise.withResolvers<void>();
  const held = createServer((request, response) => {
    asked.push(request.url ?? '');
    void released.promise.then(() => answer(request.url ?? '', response));
  });
  await new Promise<void>((resolve) => void held.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(held.address() as AddressInfo).port}`,
    asked,
    release: released.resolve,
    async [Symbol.asyncDispose]() {
      held.closeAllConnections();
      await new Promise<void>((resolve) => void held.close(() => resolve()));
    },
  };
}

test('a download that two composes want is made once, and goes on when the one that began it is cancelled', async () => {
  const content = Buffer.alloc(100_000, 'rpm');
  const digest = createHash('sha256').update(content).digest('hex');
  await using held = await holdAnswers((_path, response) => void response.end(content));
  const files = openKojiHttpFiles({ topUrl: held.url });
  try {
    const store = new PackageStore(makeFolder('downloads'));
    const wanted = [{ url: files.urlOf('packages/a.rpm'), digest, size: content.length }];
    const context = { http: files.http, store, now: new Date() };
    const first = new AbortController();
    const ofFirst = fetchPackages({ ...context, signal: first.signal }, wanted);
    await until(() => held.asked.length === 1);
    const ofSecond = fetchPackages({ ...context, signal: new AbortController().signal }, wanted);
    first.abort(cancelled());
    await assert.rejects(ofFirst, { code: 'compose.cancelled' });
    held.release();
    const [stored] = await ofSecond;
    assert.equal(stored?.digest, digest);
    assert.equal(held.asked.length, 1);
    assert.deepEqual(readdirSync(join(store.directory, 'incoming')), []);
  } finally {
    files.close();
  }
});

test('a repository that two composes read is read once, and on when the one that began it is cancelled', async () => {
  const directory = makeFolder('repository');
  await createDemoRepository(directory).add('base', new Date());
  const primary = Promise.withResolvers<void>();
  const asked: string[] = [];
  const cache = new RepositoryCache({
    readUrl: async (url, _limit, signal) => {
      const path = new URL(url).pathname;
      asked.push(path);
      if (path.includes('primary')) {
        await Promise.race([
          primary.promise,
          new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
        ]);
      }
      // At once, so that whoever has asked for repomd.xml shares the rest within one turn.
      return readFileSync(join(directory, path));
    },
  });
  const first = new AbortController();
  const second = new AbortController();
  const ofFirst = cache.load(first.signal, 'http://repository.invalid', []);
  await until(() => asked.some((path) => path.includes('primary')));
  const ofSecond = cache.load(second.signal, 'http://repository.invalid', []);
  await until(() => asked.filter((path) => path.includes('repomd')).length === 3);
  await pause(0);
  first.abort(cancelled());
  await assert.rejects(ofFirst, { code: 'compose.cancelled' });
  primary.resolve();
  const loaded = await ofSecond;
  assert.ok(loaded.index.count > 0);
  assert.equal(asked.filter((path) => path.includes('primary')).length, 1);
  // What is kept still reads when those who waited for it have gone.
  second.abort(cancelled());
  assert.ok((await loaded.repositories[0]?.readRecord('filelists'))?.length);
});

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { startServe, startSlowServer, type ServeProcess } from '../composer/serve-process.ts';
import { postCompose, waitForEnd } from '../composer/service-calls.ts';
import { ensurePackages } from './debian-packages.ts';
import { postgresqlPackages, startPostgresql } from './postgresql.ts';

const answer = ensurePackages(postgresqlPackages);
const skip = answer.ready ? false : answer.reason;
const folder = mkdtempSync(join(tmpdir(), 'odcs-asleep-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Shorter than a lease and the time until somebody looks, so that it is over before another has made the compose. */
const COMPOSE_TIMEOUT = 25;

const repository = createDemoRepository(join(folder, 'repository'));
await repository.add('base', new Date('2026-11-22T10:00:00Z'));

/** A latch on what only shows from outside. */
async function until(what: string, isSo: () => boolean, services: readonly ServeProcess[]): Promise<void> {
  const deadline = performance.now() + 180_000;
  while (!isSo()) {
    if (performance.now() > deadline) {
      throw new Error(`not in time: ${what}\n${services.map((service) => service.log()).join('\n')}`);
    }
    await pause(50);
  }
}

interface Scene extends AsyncDisposable {
  readonly target: string;
  /** Where packages come from, once it is opened. */
  readonly slow: Awaited<ReturnType<typeof startSlowServer>>;
  readonly databaseUrl: string;
  start(name: string, databaseUrl?: string): Promise<ServeProcess>;
}

async function openScene(name: string): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const postgresql = await startPostgresql();
  stack.defer(() => postgresql.stop());
  const target = join(folder, name, 'composes');
  const slow = stack.use(await startSlowServer(repository.directory));
  const opened = stack.move();
  return {
    target,
    slow,
    databaseUrl: postgresql.url,
    async start(process, databaseUrl = postgresql.url) {
      const service = await startServe({
        ODCS_DATABASE_URL: databaseUrl,
        ODCS_DATA_DIR: join(folder, name, process),
        ODCS_TARGET_DIR: target,
        ODCS_ROLES: 'api,composer,janitor',
        ODCS_COMPOSE_TIMEOUT: String(COMPOSE_TIMEOUT),
        ODCS_LOG_LEVEL: 'info',
      });
      opened.defer(async () => {
        service.process.kill('SIGCONT');
        await service.end('SIGKILL');
      });
      return service;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function askFor(scene: Scene, service: ServeProcess): Promise<number> {
  const { id } = await postCompose(service.url, {
    source: { type: 'repo', source: scene.slow.url, packages: ['ed'] },
  });
  await scene.slow.held;
  return id;
}

/** How long ago, in the time that goes on while a process is stopped. */
const secondsSince = (start: number): number => (performance.now() - start) / 1000;

function assertShownOnce(target: string, id: number): void {
  const entries = readdirSync(target).filter((name) => /^\.?odcs-/.test(name));
  assert.deepEqual(entries, [`odcs-${id}`]);
  assert.ok(existsSync(join(target, `odcs-${id}`, 'STATUS')));
}

const building = (target: string, id: number, attempt: number): string =>
  join(target, `.odcs-${id}.${attempt}.building`);

describe(
  'a composer that was away for longer than its lease and its time limit',
  { skip, concurrency: true },
  () => {
    test('leaves the compose alone that another is making, when it slept', async () => {
      await using scene = await openScene('slept');
      const { target, slow } = scene;
      const sleeper = await scene.start('sleeper');
      const id = await askFor(scene, sleeper);
      const asleepAt = performance.now();
      sleeper.process.kill('SIGSTOP');
      const other = await scene.start('other');
      await until('the other takes over', () => existsSync(building(target, id, 2)), [sleeper, other]);
      await until('the time of the sleeper is over', () => secondsSince(asleepAt) > COMPOSE_TIMEOUT + 1, []);
      sleeper.process.kill('SIGCONT');
      await until(
        'the sleeper finds out',
        () => /lease_lost|compose failed|ended elsewhere/.test(sleeper.log()),
        [sleeper, other],
      );
      assert.match(sleeper.log(), /compose\.lease_lost/);
      assert.ok(existsSync(building(target, id, 2)), 'what the other builds is still there');
      slow.open();
      const done = await waitForEnd(other.url, id);
      assert.equal(done.state_name, 'done', done.state_reason ?? '');
      await until('the other says so', () => other.log().includes('"compose ended"'), [other]);
      assert.doesNotMatch(sleeper.log(), /"compose ended"/);
      assertShownOnce(target, id);
    });

    test('makes the compose again, when it slept and nobody has taken it', async () => {
      await using scene = await openScene('alone');
      const { target, slow } = scene;
      const sleeper = await scene.start('sleeper');
      const id = await askFor(scene, sleeper);
      sleeper.process.kill('SIGSTOP');
      await pause((COMPOSE_TIMEOUT + 1) * 1000);
      slow.open();
      sleeper.process.kill('SIGCONT');
      const done = await waitForEnd(sleeper.url, id);
      assert.equal(done.state_name, 'done', done.state_reason ?? '');
      assertShownOnce(target, id);
    });

    test('writes nothing of the compose that another is making, when only its database was out of reach', async () => {
      await using scene = await openScene('cut-off');
      const { target, slow } = scene;
      await using link = await openLink(new URL(scene.databaseUrl));
      const cutOff = await scene.start('cut-off', link.url);
      const id = await askFor(scene, cutOff);
      const cutOffAt = performance.now();
      link.hold();
      const other = await scene.start('other');
      await until('the other takes over', () => existsSync(building(target, id, 2)), [cutOff, other]);
      // It was awake all the time, so it would fail the compose that it thinks it has.
      await until('its time is over', () => secondsSince(cutOffAt) > COMPOSE_TIMEOUT + 2, []);
      link.pass();
      await until(
        'it was told that it may not',
        () => /ended elsewhere|compose failed|job ended/.test(cutOff.log()),
        [cutOff],
      );
      assert.ok(existsSync(building(target, id, 2)), 'what the other builds is still there');
      slow.open();
      const done = await waitForEnd(other.url, id);
      assert.equal(done.state_name, 'done', done.state_reason ?? '');
      assert.doesNotMatch(cutOff.log(), /"compose (?:ended|failed)"/);
      assertShownOnce(target, id);
    });
  },
);

interface Link extends AsyncDisposable {
  /** The database as one sees it through the link. */
  readonly url: string;
  /** Keeps back what is sent to the database; the connections stay. */
  hold(): void;
  /** Sends what was kept back, in its order, and whatever follows. */
  pass(): void;
}

/** A network between a process and its database that may stand still. */
async function openLink(database: URL): Promise<Link> {
  const sockets = new Set<Socket>();
  let kept: { readonly to: Socket; readonly bytes: Buffer }[] | null = null;
  const server = createServer((near) => {
    const far = connect(Number(database.port), database.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    near.on('data', (bytes) => {
      if (kept === null) far.write(bytes);
      else kept.push({ to: far, bytes });
    });
    near.on('close', () => far.destroy());
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(database);
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  return {
    url: url.href,
    hold: () => void (kept = []),
    pass() {
      const before = kept ?? [];
      kept = null;
      for (const { to, bytes } of before) to.write(bytes);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

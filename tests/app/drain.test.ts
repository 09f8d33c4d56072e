import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startReactor, type Reactor } from '../../src/app/reactor.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { findFreePort } from '../services/service-process.ts';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-drain-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function start(name: string, more: Record<string, unknown>): Promise<Reactor> {
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: {
      data_dir: await makeDataDirectory(join(folder, name)),
      port: 0,
      admin_port: await findFreePort(),
      ...more,
    },
  });
  return startReactor({ config, log: createLog('silent') });
}

const statusOf = async (url: string, options: RequestInit = {}): Promise<number> =>
  (await fetch(url, options)).status;

test('a process that is told to stop is unready first and answers through the grace time', async () => {
  const reactor = await start('grace', { shutdown_grace: 3 });
  assert.equal(await statusOf(`${reactor.url}/ready`), 200);
  const retired = reactor.retire();
  assert.equal(await statusOf(`${reactor.url}/ready`), 503);
  assert.equal(await statusOf(`${reactor.adminUrl}/ready`), 503);
  assert.equal(await statusOf(`${reactor.url}/healthz`), 200);
  assert.equal(await statusOf(`${reactor.url}/api/1/composes/`), 200);
  const event = { topic: 'repo.changed', body: { repo: '/nowhere' } };
  const posted = { method: 'POST', body: JSON.stringify(event) };
  assert.equal(await statusOf(`${reactor.url}/api/1/events`, posted), 202);
  await retired;
  await assert.rejects(fetch(`${reactor.url}/healthz`));
});

test('a process without the API is asked at its admin server, and drained there without ending', async () => {
  await using reactor = await start('admin', {
    roles: ['listener', 'composer', 'janitor'],
    shutdown_grace: 0,
  });
  const admin = reactor.adminUrl ?? assert.fail('there is no admin server');
  assert.equal(await statusOf(`${admin}/healthz`), 200);
  assert.equal(await statusOf(`${admin}/ready`), 200);
  const health = await fetch(`${admin}/health`);
  assert.equal(health.status, 200);
  const names = [...(await health.text()).matchAll(/"name":"(\w+)"/g)].map(([, name]) => name);
  for (const part of ['clock', 'database', 'inbox', 'queue']) assert.ok(names.includes(part), part);
  assert.match(await (await fetch(`${admin}/metrics`)).text(), /^odcs_clock_skew_seconds /m);
  assert.equal(await statusOf(`${admin}/drain`), 404, 'reading changes nothing');
  assert.equal(await statusOf(`${admin}/drain`, { method: 'POST' }), 202);
  await reactor.drain();
  assert.equal(await statusOf(`${admin}/ready`), 503);
  assert.equal(await statusOf(`${admin}/healthz`), 200);
  await reactor.database.jobs.send('build.warm', { nvr: 'a-1-1' });
});

test('what a stopping process interrupts is told without a stack', async () => {
  await using reactor = await start('interrupted', { roles: ['api'] });
  const { jobs } = reactor.database;
  const told: unknown[] = [];
  const running = Promise.withResolvers<void>();
  await jobs.work('build.warm', {
    concurrency: 1,
    handleJob: async (_data, { signal }) => {
      running.resolve();
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
    onError: (_name, _data, error) => told.push(error),
  });
  await jobs.send('build.warm', { nvr: 'a-1-1' });
  await running.promise;
  assert.equal(await jobs.stopWorking(50), false, 'the job has not ended');
  await jobs.stop(0);
  await new Promise(setImmediate);
  const [error] = told;
  assert.ok(error instanceof Error && 'code' in error);
  assert.equal(error.code, 'job.interrupted');
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { startServe, type ServeProcess } from '../composer/serve-process.ts';
import { postCompose } from '../composer/service-calls.ts';
import { ensurePackages } from './debian-packages.ts';
import { postgresqlPackages, startPostgresql, type PostgresqlService } from './postgresql.ts';
import { startSilentProxy, type SilentProxy } from './silent-proxy.ts';

const packages = ensurePackages(postgresqlPackages);
const skip = packages.ready ? false : packages.reason;
const folder = mkdtempSync(join(tmpdir(), 'odcs-away-'));

let postgresql: PostgresqlService;
let proxy: SilentProxy;
let service: ServeProcess;
before(async () => {
  if (!packages.ready) return;
  postgresql = await startPostgresql();
  proxy = await startSilentProxy(Number(new URL(postgresql.url).port));
  service = await startService('first');
});
after(async () => {
  if (!packages.ready) return;
  await service.end('SIGKILL');
  await proxy[Symbol.asyncDispose]();
  await postgresql.stop();
  rmSync(folder, { recursive: true, force: true });
});

function startService(name: string): Promise<ServeProcess> {
  const url = new URL(postgresql.url);
  url.port = String(proxy.port);
  return startServe({
    ODCS_DATABASE_URL: url.href,
    ODCS_DATA_DIR: join(folder, name),
    ODCS_ROLES: 'api,janitor,announcer,listener',
  });
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: { readonly code?: string; readonly detail?: string };
}

async function ask(path: string, options: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${service.url}${path}`, { ...options, signal: AbortSignal.timeout(40_000) });
  const body: Answer['body'] = JSON.parse((await response.text()) || '{}');
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body };
}

/** Waits for an answer of `/ready`; returns the seconds it took. */
async function untilReady(status: number, seconds: number): Promise<number> {
  const started = performance.now();
  for (;;) {
    const { status: found } = await ask('/ready');
    const passed = (performance.now() - started) / 1000;
    if (found === status) return passed;
    assert.ok(passed < seconds, `/ready is ${found} after ${passed} s`);
    await pause(100);
  }
}

test(
  'a row that somebody holds stops neither the list nor readiness, and those who want it are told',
  { skip },
  async () => {
    const asked = await postCompose(service.url, { source: { type: 'repo', source: '/nowhere' } });
    const holder = new Client({ connectionString: postgresql.url });
    await holder.connect();
    await holder.query('begin');
    await holder.query('select id from composes where id = $1 for update', [asked.id]);
    const wanting = Array.from({ length: 12 }, () =>
      ask(`/api/1/composes/${asked.id}`, { method: 'DELETE' }),
    );
    // So that all of them wait.
    await pause(1_000);
    const started = performance.now();
    assert.equal((await ask('/api/1/composes/')).status, 200);
    assert.equal((await ask('/ready')).status, 200);
    assert.ok(performance.now() - started < 4_000, 'the list waited for the row');
    for (const answer of await Promise.all(wanting)) {
      assert.equal(answer.status, 503);
      assert.equal(answer.body.code, 'database.busy');
      assert.match(answer.retryAfter ?? '', /^\d+$/);
    }
    await holder.query('rollback');
    await holder.end();
  },
);

test(
  'a database that vanishes without a word is noticed, told, and used again when it is back',
  { skip },
  async () => {
    proxy.goDark();
    const event = ask('/api/1/events', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topic: 'repo.changed', body: { repo: '/nowhere' } }),
    });
    await untilReady(503, 15);
    const health = await fetch(`${service.url}/api/1/health`);
    assert.equal(health.status, 503);
    assert.match(await health.text(), /"The database [^"]*","name":"database","ok":false/);
    assert.equal((await event).status, 503);
    proxy.light();
    await untilReady(200, 30);
    assert.equal((await ask('/api/1/composes/')).status, 200);
    assert.match(service.log(), /the database cannot be used/);
  },
);

test('after a restart, and one without warning, everything goes on by itself', { skip }, async () => {
  await postgresql.restart();
  await untilReady(200, 30);
  await postgresql.kill();
  await untilReady(503, 15);
  await postgresql.restart();
  await untilReady(200, 30);
  assert.equal((await ask('/api/1/composes/')).status, 200);
});

test(
  'a replica that can only be read makes the service unready until it is the primary',
  { skip },
  async () => {
    const administrator = new Client({ connectionString: postgresql.url });
    await administrator.connect();
    await administrator.query('alter system set default_transaction_read_only = on');
    await administrator.query('select pg_reload_conf()');
    await untilReady(503, 15);
    assert.match((await ask('/ready')).body.detail ?? '', /can only be read/);
    await administrator.query('set default_transaction_read_only = off');
    await administrator.query('alter system reset default_transaction_read_only');
    await administrator.query('select pg_reload_conf()');
    await administrator.end();
    await untilReady(200, 15);
  },
);

test('a process that is told to stop while its database is away ends', { skip }, async () => {
  proxy.goDark();
  await untilReady(503, 15);
  const started = performance.now();
  await service.end('SIGTERM');
  const seconds = (performance.now() - started) / 1000;
  assert.ok(seconds < 20, `it took ${seconds} s`);
  assert.equal(service.process.exitCode, 0);
});

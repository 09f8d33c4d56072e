import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { startServe, type ServeProcess } from '../composer/serve-process.ts';
import { postCompose } from '../composer/service-calls.ts';
import { ensurePackages } from './debian-packages.ts';
import { postgresqlPackages, startPostgresql, type PostgresqlService } from './postgresql.ts';

const packages = ensurePackages(postgresqlPackages);
const skip = packages.ready ? false : packages.reason;
const folder = mkdtempSync(join(tmpdir(), 'odcs-moves-'));
const addressFile = join(folder, 'address');
const NAME = 'database.test';

let primary: PostgresqlService;
let service: ServeProcess;
before(async () => {
  if (!packages.ready) return;
  primary = await startPostgresql({ connections: 40 });
  lead(primary);
  const url = new URL(primary.url);
  url.hostname = NAME;
  service = await startServe({
    ODCS_DATABASE_URL: url.href,
    ODCS_DATA_DIR: join(folder, 'data'),
    ODCS_ROLES: 'api,janitor,announcer,listener',
    NODE_OPTIONS: `--import=${resolve(import.meta.dirname, 'resolve-by-file.ts')}`,
    ODCS_TEST_NAME: NAME,
    ODCS_TEST_ADDRESS_FILE: addressFile,
  });
});
after(async () => {
  if (!packages.ready) return;
  await service.end('SIGKILL');
  await primary.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Lets the name lead to a server. */
function lead(server: PostgresqlService): void {
  writeFileSync(addressFile, new URL(server.url).hostname);
}

/** Waits for an answer of `/ready` whose sentence fits. */
async function untilReady(status: number, detail: RegExp, seconds: number): Promise<void> {
  const started = performance.now();
  for (;;) {
    const response = await fetch(`${service.url}/ready`, { signal: AbortSignal.timeout(40_000) });
    const text = await response.text();
    if (response.status === status && detail.test(text)) return;
    const passed = (performance.now() - started) / 1000;
    assert.ok(passed < seconds, `/ready is ${response.status} ${text} after ${passed} s`);
    await pause(100);
  }
}

async function connect({ url }: PostgresqlService): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'hog' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Takes every connection that the server has, those of the service too, and returns what gives them back. */
async function takeAll(server: PostgresqlService): Promise<() => Promise<void>> {
  const administrator = await connect(server);
  const hogs: Client[] = [administrator];
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
    await administrator.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'odcs-reactor%'`,
    );
    for (;;) {
      const client = await connect(server).catch(() => null);
      if (client === null) break;
      hogs.push(client);
    }
    const { rowCount } = await administrator.query(
      `select 1 from pg_stat_activity where application_name like 'odcs-reactor%'`,
    );
    if (rowCount !== 0) continue;
    return async () => {
      for (const client of hogs) await client.end();
    };
  }
  return assert.fail('the service keeps its connections');
}

const countComposes = async (): Promise<number> => {
  const answer: unknown = await (await fetch(`${service.url}/api/1/composes/`)).json();
  return typeof answer === 'object' && answer !== null && 'items' in answer && Array.isArray(answer.items)
    ? answer.items.length
    : assert.fail(JSON.stringify(answer));
};

test(
  'a database without a connection left is told, and used again when there are some',
  { skip },
  async () => {
    await postCompose(service.url, { source: { type: 'repo', source: '/nowhere' } });
    const giveBack = await takeAll(primary);
    await untilReady(503, /no connection left/, 30);
    assert.match(service.log(), /database\.crowded/);
    assert.equal(service.process.exitCode, null);
    await giveBack();
    await untilReady(200, /./, 30);
    assert.equal(await countComposes(), 1);
  },
);

test(
  'a name that leads to a replica makes the service unready, and to the primary that it becomes goes on',
  { skip },
  async () => {
    const replica = await startPostgresql({ connections: 40, replicaOf: primary });
    try {
      lead(replica);
      await primary.kill();
      await untilReady(503, /can only be read/, 30);
      assert.match(service.log(), /database\.read_only/);
      const promoting = await connect(replica);
      await promoting.query('select pg_promote()');
      await promoting.end();
      await untilReady(200, /./, 30);
      assert.equal(await countComposes(), 1, 'what the primary had is on the replica');
      await postCompose(service.url, { source: { type: 'repo', source: '/nowhere' } });
      assert.equal(await countComposes(), 2);
      assert.equal(service.process.exitCode, null);
    } finally {
      await service.end('SIGTERM');
      await replica.stop();
    }
  },
);

import { sql } from 'kysely';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openDatabase, type Database } from '../src/database/database.ts';
import { transaction } from '../src/database/transaction.ts';
import { createCompose } from '../src/lifecycle/create-compose.ts';
import { placeComposeRequest } from '../src/lifecycle/place-request.ts';
import { lockSeries } from '../src/lifecycle/series-lock.ts';
import type { ComposeRequest, Priority } from '../src/model/compose.ts';
import { startServe, type ServeProcess } from '../tests/composer/serve-process.ts';
import { defaultRequest } from '../tests/default-request.ts';
import { ensurePackages } from '../tests/services/debian-packages.ts';
import { postgresqlPackages, startPostgresql } from '../tests/services/postgresql.ts';
import { sharedPath } from '../tests/shared.ts';
import { measureServer } from '../tests/simulation/measure-use.ts';
import { noteFigure } from './figures.ts';
import { processCpuMs } from './nginx.ts';

const LOOK_MS = 100;
const source = sharedPath('odcs', 'repo');
const small: ComposeRequest = { ...defaultRequest, sourceType: 'repo', source: [source], packages: ['ed'] };

interface Scene {
  readonly database: Database;
  /** Starts `serve` with the role `composer` alone; all of a scene share database and target directory. */
  readonly startComposer: () => Promise<ServeProcess>;
  readonly postgresqlCpuMs: () => number;
}

/** Runs work with a new PostgreSQL and target directory, and ends the composers that it started. */
async function withScene<Result>(work: (scene: Scene) => Promise<Result>): Promise<Result> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'bench-composers-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const postgresql = await startPostgresql();
  stack.defer(() => postgresql.stop());
  const database = await openDatabase({ url: postgresql.url, dataDir: '' });
  stack.defer(() => database.close());
  let started = 0;
  return await work({
    database,
    postgresqlCpuMs: () => measureServer(`-p ${new URL(postgresql.url).port}`) * 1000,
    startComposer: async () => {
      started += 1;
      const composer = await startServe({
        ODCS_DATABASE_URL: postgresql.url,
        ODCS_DATA_DIR: join(folder, `data-${started}`),
        ODCS_TARGET_DIR: join(folder, 'composes'),
        ODCS_ROLES: 'composer',
      });
      stack.defer(() => composer.end('SIGKILL'));
      return composer;
    },
  });
}

/** Enqueues composes of one request. */
async function enqueue(database: Database, count: number, request: ComposeRequest): Promise<void> {
  await transaction(database, async (tx) => {
    for (let at = 0; at < count; at += 1) {
      await createCompose(tx, { owner: 'bench', request, priority: 'normal' });
    }
  });
}

/** Enqueues what rules ask for, each for a series of its own, that makes a compose whatever was there. */
async function enqueueRequests(
  database: Database,
  names: readonly string[],
  priority: Priority,
): Promise<void> {
  await transaction(database, async (tx) => {
    for (const series of names) {
      await lockSeries(tx.sql, series);
      await placeComposeRequest(
        tx,
        {
          rule: 'bench',
          series,
          body: { source: { type: 'repo', source, packages: ['ed'] } },
          priority,
          causes: [],
          minEvent: null,
          chain: [],
          unchanged: 'compose',
          notBefore: null,
        },
        'queue',
      );
    }
  });
}

interface ComposeCounts {
  readonly done: number;
  readonly failed: number;
  /** Those that were planned and built for themselves. */
  readonly planned: number;
  readonly built: number;
  /** From the beginning of the first one to the end of the last. */
  readonly wall: number;
}

async function countComposes({ kysely }: Database): Promise<ComposeCounts> {
  const { rows } = await sql<ComposeCounts>`
    select count(*) filter (where state = 'done')::integer as done,
      count(*) filter (where state = 'failed')::integer as failed,
      count(*) filter (where stages::jsonb -> 'stages' @> '[{"stage": "plan"}]')::integer as planned,
      count(*) filter (where state = 'done' and reused_id is null)::integer as built,
      extract(epoch from max(time_done) - min(time_started))::float8 * 1000 as wall
    from composes`.execute(kysely);
  const [counts] = rows;
  if (counts === undefined) throw new Error('composes cannot be counted');
  return counts;
}

async function untilDone(database: Database, count: number): Promise<ComposeCounts> {
  for (;;) {
    const counts = await countComposes(database);
    if (counts.failed > 0) throw new Error(`${counts.failed} composes failed`);
    if (counts.done >= count) return counts;
    await pause(LOOK_MS);
  }
}

interface MeasuredQueue {
  readonly wallMs: number;
  /** CPU of one compose: of the composers and of PostgreSQL. */
  readonly composerCpuMs: number;
  readonly postgresqlCpuMs: number;
}

/** How long so many composers take for composes that wait in the queue already. */
async function measureQueue(composers: number, count: number): Promise<MeasuredQueue> {
  return withScene(async ({ database, startComposer, postgresqlCpuMs }) => {
    await enqueue(database, count, { ...small, flags: ['no_reuse'] });
    const before = postgresqlCpuMs();
    const processes = await Promise.all(Array.from({ length: composers }, () => startComposer()));
    const { wall } = await untilDone(database, count);
    const composerCpu = processes.reduce((sum, { process }) => sum + processCpuMs(process.pid), 0);
    const measured = {
      wallMs: wall,
      composerCpuMs: composerCpu / count,
      postgresqlCpuMs: (postgresqlCpuMs() - before) / count,
    };
    process.stdout.write(
      `${count} queued composes, ${composers} composer${composers === 1 ? '' : 's'}: ${(wall / 1000).toFixed(1)} s; each ${measured.composerCpuMs.toFixed(1)} ms of CPU of composers, their start included, ${measured.postgresqlCpuMs.toFixed(1)} ms of PostgreSQL\n`,
    );
    return measured;
  });
}

/** What equal requests at once cost two composers. */
async function measureEqual(count: number): Promise<void> {
  await withScene(async ({ database, startComposer }) => {
    await enqueue(database, count, small);
    await Promise.all([startComposer(), startComposer()]);
    const { planned, built, wall } = await untilDone(database, count);
    process.stdout.write(
      `${count} equal requests at once, two composers: ${planned} planned, ${built} built, ${(wall / 1000).toFixed(2)} s\n`,
    );
    noteFigure({
      id: 'composers.equal',
      what: `${count} equal requests at once, planned and built once, two composers`,
      ours: { wallMs: wall },
      peers: [],
    });
    if (planned !== 1 || built !== 1) process.exitCode = 1;
  });
}

/** How long a security compose waits that is asked for while a bulk is worked off; several times. */
async function measureUrgent(bulk: number, times: number): Promise<void> {
  await withScene(async ({ database, startComposer }) => {
    await enqueueRequests(
      database,
      Array.from({ length: bulk }, (_none, at) => `bulk-${at}`),
      'bulk',
    );
    await startComposer();
    for (let at = 0; at < times; at += 1) {
      await untilDone(database, Math.floor((bulk * (at + 0.5)) / times));
      await enqueueRequests(database, [`security-${at}`], 'security');
    }
    await untilDone(database, bulk + times);
    const { rows } = await sql<{ waited: number }>`
      select extract(epoch from started_at - created_at)::float8 * 1000 as waited
      from compose_requests where priority = 'security' order by 1`.execute(database.kysely);
    const waits = rows.map(({ waited }) => waited);
    const [median, most] = [waits[Math.floor(waits.length / 2)] ?? Number.NaN, waits.at(-1) ?? Number.NaN];
    process.stdout.write(
      `${times} security composes while a bulk of ${bulk} is made: begun after ${median.toFixed(0)} ms, ${most.toFixed(0)} at most\n`,
    );
    noteFigure({
      id: 'composers.urgent',
      what: `a security compose until it begins, while a bulk of ${bulk} is made`,
      ours: { wallMs: median, wallMs99: most },
      peers: [],
    });
    if (!(most <= LONGEST_WAIT_MS)) process.exitCode = 1;
  });
}

const LONGEST_WAIT_MS = 2_000;

/**
 * `composers [--short | --composes N]`: 1,000 queued small composes by one composer and by two, equal requests at once, and
 * security beside bulk; all on PostgreSQL. Fails where equal requests are made more than once, or security waits for more than 2 s.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { short: { type: 'boolean', default: false }, composes: { type: 'string' } },
  });
  const packages = ensurePackages(postgresqlPackages);
  if (!packages.ready) throw new Error(packages.reason);
  const count = Number(values.composes ?? (values.short ? 60 : 1000));
  const alone = await measureQueue(1, count);
  const two = await measureQueue(2, count);
  process.stdout.write(`two take ${(two.wallMs / alone.wallMs).toFixed(2)} of the time of one\n`);
  noteFigure({
    id: 'composers',
    what: `${count.toLocaleString('en')} queued small composes, two composers`,
    ours: { wallMs: two.wallMs, cpuMs: two.composerCpuMs * count },
    peers: [{ name: 'one composer', wallMs: alone.wallMs, cpuMs: alone.composerCpuMs * count }],
  });
  await measureEqual(100);
  await measureUrgent(values.short ? 60 : 500, values.short ? 3 : 10);
}

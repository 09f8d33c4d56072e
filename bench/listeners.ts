import { sql } from 'kysely';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openDatabase, type Database } from '../src/database/database.ts';
import { createLog } from '../src/log.ts';
import { startRules } from '../src/rules/start-rules.ts';
import { noteFigure } from './figures.ts';
import { listenToQueue } from './listen-to-queue.ts';
import { publishMessages } from '../tests/faults/publish-messages.ts';
import { startPostgresql } from '../tests/services/postgresql.ts';
import { startRabbitmq, type RabbitmqService } from '../tests/services/rabbitmq.ts';

const log = createLog('warn');

const rule = `version: 1
name: bench
owner: bench
description: Matches every message of the benchmark.
mode: shadow
on:
  - event: koji.tag
    match: { tag: f44-updates }
settle: 10m
max_wait: 2h
series: bench
compose:
  source:
    type: tag
    source: f44-updates
`;

async function countEvents(database: Database): Promise<number> {
  const { count } = await database.kysely
    .selectFrom('events')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** From a full queue to rows that are stored and acknowledged. */
async function measureThroughput(rabbitmq: RabbitmqService, database: Database, count: number) {
  await publishMessages({ url: rabbitmq.url, queue: 'bench_throughput', count, rate: 0 });
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const stop = listenToQueue(rabbitmq, 'bench_throughput', database);
  while ((await countEvents(database)) < count) await pause(50);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  await stop();
  return {
    count,
    seconds,
    perSecond: Math.round(count / seconds),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };
}

/** From publishing to the decision a rule left, in milliseconds. */
async function measureLatency(rabbitmq: RabbitmqService, url: string, count: number, rate: number) {
  const rulesDir = mkdtempSync(join(tmpdir(), 'odcs-bench-rules-'));
  writeFileSync(join(rulesDir, 'bench.yaml'), rule);
  const database = await openDatabase({ url, dataDir: '' });
  await database.kysely.deleteFrom('decisions').execute();
  await database.kysely.deleteFrom('settle_windows').execute();
  await database.kysely.deleteFrom('events').execute();
  const rules = await startRules({ database, log, rulesDir, sources: {} });
  const stop = listenToQueue(rabbitmq, 'bench_latency', database);
  await pause(500);
  await publishMessages({ url: rabbitmq.url, queue: 'bench_latency', count, rate, batch: 1 });
  const unmatched = async (): Promise<number> => {
    const rows = await database.kysely
      .selectFrom('events')
      .select('id')
      .where('matched_at', 'is', null)
      .execute();
    return rows.length;
  };
  const deadline = performance.now() + 60_000;
  while (((await countEvents(database)) < count || (await unmatched()) > 0) && performance.now() < deadline)
    await pause(100);
  const rows = await database.kysely.selectFrom('events').select(['sent_at', 'matched_at']).execute();
  const times = rows
    .map((row) => (row.matched_at?.getTime() ?? Number.NaN) - (row.sent_at?.getTime() ?? 0))
    .toSorted((a, b) => a - b);
  await stop();
  await rules.stop();
  await database.close();
  rmSync(rulesDir, { recursive: true });
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return { count: times.length, rate, median: at(0.5), p99: at(0.99), max: at(1) };
}

/**
 * How many messages a second go from RabbitMQ into PostgreSQL, writes synced, and how long one takes until rules
 * have judged it.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const rabbitmq = await startRabbitmq();
  const postgresql = await startPostgresql({ durable: true });
  try {
    const database = await openDatabase({ url: postgresql.url, dataDir: '' });
    const throughput = await measureThroughput(
      rabbitmq,
      database,
      argv.includes('--short') ? 10_000 : 40_000,
    );
    await sql`delete from pgboss.job`.execute(database.kysely);
    await database.close();
    const latency = await measureLatency(
      rabbitmq,
      postgresql.url,
      argv.includes('--short') ? 1_000 : 4_000,
      200,
    );
    const memory = Math.round(process.memoryUsage.rss() / 1e6);
    process.stdout.write(
      `stored before ack: ${throughput.perSecond} messages/s (${throughput.count} in ${throughput.seconds.toFixed(1)} s, ${throughput.cpuSeconds.toFixed(1)} s of CPU)\n` +
        `published to judged by rules at ${latency.rate}/s: median ${latency.median} ms, p99 ${latency.p99} ms, max ${latency.max} ms\n` +
        `memory: ${memory} MB\n`,
    );
    noteFigure({
      id: 'listeners.stored',
      what: 'messages stored before they are acknowledged',
      ours: { perSecond: throughput.perSecond },
      peers: [],
    });
    noteFigure({
      id: 'listeners.judged',
      what: `message published to judged by the rules, at ${latency.rate} a second`,
      ours: { wallMs: latency.median, wallMs99: latency.p99, peakMib: memory },
      peers: [],
    });
  } finally {
    await rabbitmq.stop();
    await postgresql.stop();
  }
}

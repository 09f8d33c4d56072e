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
import { startRabbitmq } from '../tests/services/rabbitmq.ts';

const QUEUE = 'bench_crowd';
const MOST_WAIT_S = 20;
/** How long after its last moment a window may be closed; it is looked at every few seconds. */
const GRACE_S = 10;
const log = createLog('warn');

const rule = `version: 1
name: crowd
owner: bench
description: Gathers a crowd of builds of one tag.
mode: shadow
on:
  - event: koji.tag
    match: { tag: f44-updates }
settle: 5s
max_wait: ${MOST_WAIT_S}s
series: crowd
compose:
  source:
    type: tag
    source: f44-updates
`;

/** Waits until a crowd has been judged; returns the memory that was in use after each quarter of it, in MB. */
async function waitUntilMatched(database: Database, count: number): Promise<number[]> {
  const memory: number[] = [];
  for (;;) {
    const { matched } = await database.kysely
      .selectFrom('events')
      .select(({ fn }) => fn.count<number>('id').as('matched'))
      .where('matched_at', 'is not', null)
      .executeTakeFirstOrThrow();
    while (Number(matched) >= ((memory.length + 1) * count) / 4) {
      memory.push(Math.round(process.memoryUsage.rss() / 1e6));
    }
    if (memory.length === 4) return memory;
    await pause(250);
  }
}

/** Events judged a second over the whole crowd, its first and its last tenth. */
async function readRates(database: Database) {
  const rows = await database.kysely
    .selectFrom('events')
    .select('matched_at')
    .orderBy('matched_at')
    .where('matched_at', 'is not', null)
    .execute();
  const times = rows.flatMap(({ matched_at: at }) => (at === null ? [] : [at.getTime()]));
  const rate = (from: number, to: number): number => {
    const first = times[from] ?? Number.NaN;
    const last = times[to - 1] ?? Number.NaN;
    return Math.round(((to - from) / Math.max(1, last - first)) * 1000);
  };
  const tenth = Math.floor(times.length / 10);
  return {
    perSecond: rate(0, times.length),
    firstTenth: rate(0, tenth),
    lastTenth: rate(times.length - tenth, times.length),
  };
}

/** Seconds from the opening of each window to its closing, in order; the open ones are left out. */
async function readWindows(database: Database): Promise<number[]> {
  const rows = await database.kysely
    .selectFrom('settle_windows')
    .select(['opened_at', 'closed_at'])
    .orderBy('id')
    .execute();
  return rows.flatMap(({ opened_at: opened, closed_at: closed }) =>
    closed === null ? [] : [(closed.getTime() - opened.getTime()) / 1000],
  );
}

function crowdSize(argv: readonly string[]): number {
  if (argv.includes('--full')) return 100_000;
  return argv.includes('--short') ? 5_000 : 20_000;
}

/**
 * A crowd of events of one group: how fast they are judged while they come in, whether that slows as the crowd grows,
 * and whether windows close at their `max_wait`. Fails where one stays open beyond it. `--full` takes 100,000.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const count = crowdSize(argv);
  const rabbitmq = await startRabbitmq();
  const postgresql = await startPostgresql({ durable: true });
  const rulesDir = mkdtempSync(join(tmpdir(), 'odcs-bench-crowd-'));
  writeFileSync(join(rulesDir, 'crowd.yaml'), rule);
  try {
    const database = await openDatabase({ url: postgresql.url, dataDir: '' });
    const rules = await startRules({ database, log, rulesDir, sources: {} });
    await publishMessages({ url: rabbitmq.url, queue: QUEUE, count, rate: 0 });
    const cpuBefore = process.cpuUsage();
    const stop = listenToQueue(rabbitmq, QUEUE, database);
    const memory = await waitUntilMatched(database, count);
    const cpu = process.cpuUsage(cpuBefore);
    const rates = await readRates(database);
    const windows = await readWindows(database);
    await stop();
    await rules.stop();
    await database.close();
    const longest = Math.max(0, ...windows);
    const report = {
      count,
      ...rates,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      windowsClosed: windows.length,
      longestWindowSeconds: longest,
      memory,
    };
    process.stdout.write(
      `${count} events of one group, stored and judged: ${rates.perSecond}/s, the first tenth ${rates.firstTenth}/s, the last ${rates.lastTenth}/s, ${report.cpuSeconds.toFixed(1)} s of CPU\n` +
        `windows closed: ${windows.length}, the longest after ${longest.toFixed(1)} s (max_wait ${MOST_WAIT_S} s)\n` +
        `memory after each quarter: ${memory.join(', ')} MB\n`,
    );
    noteFigure({
      id: 'crowd',
      what: 'events of one group, stored and judged while they come in',
      ours: { perSecond: rates.perSecond, cpuMs: (report.cpuSeconds * 1000) / count },
      peers: [],
    });
    if (longest > MOST_WAIT_S + GRACE_S) {
      process.exitCode = 1;
    }
  } finally {
    rmSync(rulesDir, { recursive: true });
    await rabbitmq.stop();
    await postgresql.stop();
  }
}

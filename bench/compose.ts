import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { startReactor } from '../src/app/reactor.ts';
import { postCompose, waitForEnd } from '../tests/composer/service-calls.ts';
import { formatBlock, measureLongestBlock, type LongestBlock } from '../tests/longest-block.ts';
import { startPostgresql } from '../tests/services/postgresql.ts';
import { sharedPath } from '../tests/shared.ts';
import { beginNow, noteFigure, takenSince } from './figures.ts';
import { sendTagEvent, writeTagRule } from './tag-event.ts';

/** What a service does first is slower; it is shown apart. */
const WARMING_ROUNDS = 3;
/** What Pungi took for the same `ed` where its compose was recorded. */
const PUNGI_MS = 11_000;

interface Measured {
  readonly database: string;
  readonly composes: number;
  /** Milliseconds from POST to the answer that says `done`. */
  readonly first: number;
  readonly median: number;
  readonly slowest: number;
  /** Milliseconds of CPU of one compose, the first left out. */
  readonly cpu: number;
  /** Milliseconds from the stored request to the start of its compose, by the rows. */
  readonly startMedian: number;
  readonly startSlowest: number;
  readonly peakMegabytes: number;
  /** How long the event loop stood still at most, over all composes. */
  readonly block: LongestBlock;
}

function at(sorted: readonly number[], part: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}

async function measure(databaseUrl: string, rounds: number): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'odcs-bench-'));
  try {
    const { config } = loadConfig({
      file: undefined,
      environment: {},
      overrides: { data_dir: directory, database_url: databaseUrl, port: 0, log_level: 'silent' },
    });
    await using reactor = await startReactor({ config, isTakingOver: true, log: createLog('silent') });
    const source = sharedPath('odcs', 'repo');
    const body = { source: { type: 'repo', source, packages: ['ed'] }, flags: ['no_reuse'] };
    const times: number[] = [];
    let begin = beginNow();
    const { block } = await measureLongestBlock(async () => {
      for (let round = 0; round < rounds; round += 1) {
        const start = performance.now();
        const { id } = await postCompose(reactor.url, body);
        const done = await waitForEnd(reactor.url, id);
        if (done.state_name !== 'done') throw new Error(done.state_reason ?? done.state_name);
        times.push(performance.now() - start);
        if (round === 0) begin = beginNow();
      }
    });
    const { cpuMs } = takenSince(begin);
    const rows = await reactor.database.kysely
      .selectFrom('composes')
      .select(['time_submitted', 'time_started'])
      .execute();
    const starts = rows
      .map((row) => (row.time_started?.getTime() ?? 0) - row.time_submitted.getTime())
      .sort((a, b) => a - b);
    const sorted = times.toSorted((a, b) => a - b);
    return {
      database: reactor.database.kind,
      composes: rounds,
      first: Math.round(times[0] ?? 0),
      median: at(sorted, 0.5),
      slowest: at(sorted, 1),
      cpu: Math.round(cpuMs / Math.max(1, rounds - 1)),
      startMedian: at(starts, 0.5),
      startSlowest: at(starts, 1),
      peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
      block,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface MeasuredEvents {
  readonly events: number;
  /** Milliseconds from the webhook's POST to the start of the plan that a rule asked for, one event after the other. */
  readonly median: number;
  readonly of99: number;
  readonly slowest: number;
}

/** One event at a time through webhook, match, settle window of no length, decision and request. */
async function measureEvents(databaseUrl: string, rounds: number): Promise<MeasuredEvents> {
  const directory = mkdtempSync(join(tmpdir(), 'odcs-bench-'));
  try {
    const source = sharedPath('odcs', 'repo');
    const compose = `{ source: { type: repo, source: ${source}, packages: [ed] } }`;
    const { config } = loadConfig({
      file: undefined,
      environment: {},
      overrides: {
        data_dir: directory,
        rules_dir: writeTagRule(directory, compose, 'compose'),
        database_url: databaseUrl,
        port: 0,
        log_level: 'silent',
      },
    });
    await using reactor = await startReactor({ config, isTakingOver: true, log: createLog('silent') });
    const { kysely } = reactor.database;
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const begin = performance.timeOrigin + performance.now();
      await sendTagEvent(reactor.url, round);
      for (;;) {
        const rows = await kysely
          .selectFrom('compose_requests')
          .leftJoin('composes', 'composes.id', 'compose_requests.compose_id')
          .select(['compose_requests.started_at', 'composes.time_done'])
          .execute();
        if (rows.length === round + 1 && rows.every((row) => row.time_done !== null)) {
          const started = rows.map((row) => row.started_at?.getTime() ?? 0);
          times.push(Math.max(...started) - begin);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    const sorted = times.slice(WARMING_ROUNDS).sort((a, b) => a - b);
    return { events: sorted.length, median: at(sorted, 0.5), of99: at(sorted, 0.99), slowest: at(sorted, 1) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function show(measured: Measured): void {
  process.stdout.write(
    `${measured.database}: ${measured.composes} composes of ed, POST to done ${measured.median} ms, ${measured.cpu} ms of CPU (first ${measured.first}, slowest ${measured.slowest}); ` +
      `request to start ${measured.startMedian} ms (slowest ${measured.startSlowest}); peak memory ${measured.peakMegabytes} MB; longest block ${formatBlock(measured.block)}\n`,
  );
}

function noteCompose(measured: Measured, { id, what }: { readonly id: string; readonly what: string }): void {
  noteFigure({
    id,
    what,
    ours: { cpuMs: measured.cpu, wallMs: measured.median, peakMib: measured.peakMegabytes },
    peers: [{ name: 'Pungi', wallMs: PUNGI_MS, isRecorded: true }],
  });
}

/**
 * `compose [--short | --rounds N]`: from POST to done of `ed`, and from an event to the start of its compose; on PostgreSQL,
 * and in another process on the embedded database.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      short: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      embedded: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.short ? 10 : 100));
  if (values.embedded) {
    const measured = await measure('', rounds);
    show(measured);
    noteCompose(measured, {
      id: 'compose.embedded',
      what: `${rounds.toLocaleString('en')} small composes on the embedded database, each`,
    });
    return;
  }
  const postgresql = await startPostgresql();
  try {
    const measured = await measure(postgresql.url, rounds);
    show(measured);
    noteCompose(measured, { id: 'compose', what: 'a small compose, POST to `done`' });
    const events = await measureEvents(postgresql.url, rounds + WARMING_ROUNDS);
    process.stdout.write(
      `postgresql: ${events.events} events, event to the start of its compose ${events.median} ms ` +
        `(99 of 100 ${events.of99}, slowest ${events.slowest})\n`,
    );
    noteFigure({
      id: 'compose.event',
      what: 'event to the start of its compose',
      ours: { wallMs: events.median, wallMs99: events.of99 },
      peers: [],
    });
  } finally {
    await postgresql.stop();
  }
  const embedded = [
    join(import.meta.dirname, 'main.ts'),
    'compose',
    '--embedded',
    '--rounds',
    String(rounds),
  ];
  const { status } = spawnSync(process.execPath, embedded, { stdio: 'inherit' });
  if (status !== 0) throw new Error('The composes on the embedded database failed.');
}

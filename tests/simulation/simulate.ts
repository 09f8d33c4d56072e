import { connect, type ConfirmChannel } from 'amqplib';
import { sql } from 'kysely';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openUpstreams } from '../../src/app/open-upstreams.ts';
import { listenToFedoraMessaging } from '../../src/buses/fedora-messaging-consumer.ts';
import { loadConfig } from '../../src/config.ts';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { transaction } from '../../src/database/transaction.ts';
import { closeDueWindows } from '../../src/database/windows.ts';
import { needsEnrichment } from '../../src/listeners/enrich.ts';
import { Inbox } from '../../src/listeners/inbox.ts';
import { startEnriching } from '../../src/listeners/start-enriching.ts';
import { defaultLimits } from '../../src/listeners/translate/message-body.ts';
import { createLog } from '../../src/log.ts';
import { runRuleClocks } from '../../src/rules/reconcile.ts';
import { startRules } from '../../src/rules/start-rules.ts';
import { queueConfig } from '../listeners/listening.ts';
import { startPostgresql } from '../services/postgresql.ts';
import { startRabbitmq } from '../services/rabbitmq.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import {
  Distribution,
  listReleases,
  listTags,
  type DistributionRates,
  type SimulatedMessage,
} from './distribution.ts';
import { writeMadeUpRules } from './made-up-rules.ts';
import { measureOwn, measureServer } from './measure-use.ts';
import { ModelComposer } from './model-composer.ts';

export interface SimulationPlan {
  readonly minutes: number;
  readonly rates: DistributionRates;
  readonly say: (text: string) => void;
}

/** What a simulated life cost and came to. Seconds are of the machine unless they say otherwise. */
export interface SimulationReport {
  readonly hours: number;
  readonly rules: number;
  readonly series: number;
  readonly messages: number;
  readonly events: number;
  readonly lost: number;
  readonly sideTags: number;
  readonly windows: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Events that no rule has judged, and closed windows that nothing was decided on. */
  readonly stuck: number;
  readonly composed: number;
  readonly reused: number;
  readonly unchanged: number;
  /** From the first message of a minute of life to the last decision on it. */
  readonly minuteSeconds: {
    readonly median: number;
    readonly p99: number;
    readonly most: number;
    readonly mostMessages: number;
  };
  readonly eventsPerSecond: number;
  readonly cpuMsPerEvent: {
    readonly service: number;
    readonly postgresql: number;
  };
  /** How much of one core such a life takes: processor time by simulated time. */
  readonly coreShare: number;
  readonly databaseBytesPerEvent: number;
  readonly peakMegabytes: number;
}

const QUEUE = 'simulation';
/** Jobs that have to be done before the next minute of life. */
const AWAITED = ['event.enrich', 'event.match', 'window.close', 'request.run', 'rule.notify'];
const SETTLED_MS = 120_000;
const START = Date.UTC(2026, 0, 5, 6);
const MINUTE_MS = 60_000;

/**
 * Lets a distribution live for so long against a real RabbitMQ, a real PostgreSQL, a hub with a state and the roles `listener` and
 * `rules`, by a made-up clock that stands still until all that a minute brought is decided.
 */
export async function simulate({ minutes, rates, say }: SimulationPlan): Promise<SimulationReport> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'odcs-simulation-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const postgresql = await startPostgresql();
  stack.defer(() => postgresql.stop());
  const rabbitmq = await startRabbitmq();
  stack.defer(() => rabbitmq.stop());
  const log = createLog('error');
  let now = new Date(START);
  const database = await openDatabase({ url: postgresql.url, dataDir: '', clock: { now: () => now } });
  stack.defer(() => database.close());

  const hub = new StateHub({ content: 'empty', clock: () => now.getTime() / 1000 });
  let hubSeconds = 0;
  const server = await startHubServer((call) => {
    const before = measureOwn();
    try {
      return hub.answer(call);
    } finally {
      hubSeconds += measureOwn() - before;
    }
  });
  stack.defer(() => server.close());
  writeFileSync(join(folder, 'koji.conf'), `[simulated]\nserver = ${server.url}\ntopurl = ${server.url}\n`);
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: { data_dir: folder, koji_profile: 'simulated', koji_config: join(folder, 'koji.conf') },
  });
  const upstreams = stack.use(openUpstreams(config, log));

  const rulesDir = join(folder, 'rules');
  const ruleCount = writeMadeUpRules(rulesDir, { releases: listReleases(), tags: listTags() });
  const rules = await startRules({ database, log, rulesDir, sources: upstreams.state });
  stack.defer(() => rules.stop());
  if (rules.set.rules.length !== ruleCount) throw new Error(JSON.stringify(rules.problems));
  await startEnriching({ database, log, sources: upstreams.enrich });
  const composer = new ModelComposer(database, hub);
  await database.jobs.work('request.run', {
    concurrency: 4,
    handleJob: ({ requestId }) => composer.run(requestId),
    onError: (_name, data, error) => log.error({ err: error, ...data }, 'a request of the simulation failed'),
  });

  const inbox = new Inbox({
    database,
    log,
    limits: defaultLimits,
    metrics: null,
    needsEnrichment: (event) => needsEnrichment(upstreams.enrich, event),
  });
  stack.defer(() => inbox.close());
  let taken = 0;
  const sink = {
    receive: async (message: Parameters<Inbox['receive']>[0]) => {
      const stored = await inbox.receive(message);
      taken += 1;
      return stored;
    },
    untilStalled: () => inbox.untilStalled(),
    untilReady: () => inbox.untilReady(),
  };
  const model = await connect(rabbitmq.url);
  stack.defer(() => model.close());
  const channel = await model.createConfirmChannel();
  await channel.assertQueue(QUEUE, { durable: true });
  await channel.bindQueue(QUEUE, 'amq.topic', '#');
  const listener = listenToFedoraMessaging({
    config: queueConfig(rabbitmq.url, QUEUE),
    inbox: sink,
    log,
    metrics: null,
  });
  stack.defer(() => listener.stop());

  const distribution = new Distribution(hub, rates);
  const servers = () => ({
    postgresql: measureServer(`-p ${new URL(postgresql.url).port}`),
  });
  const bytesBefore = await sizeOf(database);
  const before = servers();
  const seconds: { readonly took: number; readonly messages: number }[] = [];
  let ownSeconds = 0;
  let messages = 0;
  let peakBytes = 0;
  for (let minute = 0; minute < minutes; minute += 1) {
    now = new Date(START + minute * MINUTE_MS);
    const news = distribution.live(minute);
    const started = performance.now();
    const own = measureOwn() - hubSeconds;
    await publish(channel, news, now);
    messages += news.length;
    await until(() => taken >= messages, `${messages} messages are stored`);
    await composer.wake(now);
    await runRuleClocks({
      database,
      rules: rules.set,
      sources: upstreams.state,
      isStart: false,
      onError: (rule, error) => log.error({ err: error, rule: rule.name }, 'a sweep was not made'),
    });
    await settle(database);
    seconds.push({ took: (performance.now() - started) / 1000, messages: news.length });
    ownSeconds += measureOwn() - hubSeconds - own;
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
    if (minute % 60 === 59)
      say(`${minute / 60 + 1 / 60} h: ${messages} messages, ${JSON.stringify(composer.counts)}`);
  }
  const after = servers();
  const events = await countOf(database, 'events');
  const busy = seconds.reduce((sum, { took }) => sum + took, 0);
  const sorted = seconds.toSorted((left, right) => left.took - right.took);
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)]?.took ?? 0;
  const perEvent = (used: number): number => (used / Math.max(1, events)) * 1000;
  const used = {
    service: ownSeconds,
    postgresql: after.postgresql - before.postgresql,
  };
  return {
    hours: minutes / 60,
    rules: ruleCount,
    series: await countOf(database, 'series'),
    messages,
    events,
    lost: distribution.lost,
    sideTags: distribution.sideTagsMade,
    windows: await countOf(database, 'settle_windows'),
    outcomes: await outcomesOf(database),
    stuck: await countStuck(database),
    ...composer.counts,
    minuteSeconds: {
      median: at(0.5),
      p99: at(0.99),
      most: at(1),
      mostMessages: sorted.at(-1)?.messages ?? 0,
    },
    eventsPerSecond: events / busy,
    cpuMsPerEvent: {
      service: perEvent(used.service),
      postgresql: perEvent(used.postgresql),
    },
    coreShare: (used.service + used.postgresql) / (minutes * 60),
    databaseBytesPerEvent: ((await sizeOf(database)) - bytesBefore) / Math.max(1, events),
    peakMegabytes: peakBytes / 1e6,
  };
}

async function publish(
  channel: ConfirmChannel,
  messages: readonly SimulatedMessage[],
  now: Date,
): Promise<void> {
  for (const { topic, messageId, headers, body } of messages) {
    channel.publish('amq.topic', topic, Buffer.from(JSON.stringify(body)), {
      messageId,
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      deliveryMode: 2,
      headers: { 'sent-at': now.toISOString(), ...headers },
    });
  }
  await channel.waitForConfirms();
}

/** Lets everything be decided that can be by now: jobs first, then the windows that are due, until nothing is left. */
async function settle(database: Database): Promise<void> {
  for (;;) {
    await until(() => isIdle(database), 'every job is done');
    const closed = await transaction(database, (tx) => closeDueWindows(tx, 500));
    if (closed.length === 0) return;
  }
}

async function isIdle(database: Database): Promise<boolean> {
  const { rows } =
    await sql`select 1 from pgboss.job where name = any(${AWAITED}) and state < 'completed' limit 1`.execute(
      database.kysely,
    );
  return rows.length === 0;
}

async function until(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const limit = performance.now() + SETTLED_MS;
  while (!(await check())) {
    if (performance.now() > limit) throw new Error(`Not within ${SETTLED_MS / 1000} s: ${what}`);
    await pause(5);
  }
}

async function countOf(database: Database, table: 'events' | 'series' | 'settle_windows'): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`select count(*)::integer as count from ${sql.table(table)}`.execute(database.kysely);
  return rows[0]?.count ?? 0;
}

async function countStuck(database: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select (select count(*) from events where stage <> 'done')::integer +
      (select count(*) from settle_windows where closed_at is not null and decided_at is null)::integer as count`.execute(
    database.kysely,
  );
  return rows[0]?.count ?? 0;
}

async function outcomesOf(database: Database): Promise<Record<string, number>> {
  const { rows } = await sql<{ outcome: string; count: number }>`
    select outcome, count(*)::integer as count from decisions where event_id is null group by outcome order by 2 desc`.execute(
    database.kysely,
  );
  return Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count]));
}

async function sizeOf(database: Database): Promise<number> {
  const { rows } = await sql<{
    bytes: number;
  }>`select pg_database_size(current_database())::float8 as bytes`.execute(database.kysely);
  return rows[0]?.bytes ?? 0;
}

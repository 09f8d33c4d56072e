import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { openDatabase } from '../../src/database/database.ts';
import { untilReady } from '../faults/ask-service.ts';
import { judgeLives, type Judgement, type LivesVerdict } from '../faults/judge-lives.ts';
import { publishMessages } from '../faults/publish-messages.ts';
import { query } from '../faults/query.ts';
import { RestartedServe } from '../faults/restarted-serve.ts';
import { startSlowUpstream } from '../faults/slow-upstream.ts';
import { Random } from '../fuzz/random.ts';
import { startPostgresql } from '../services/postgresql.ts';
import { startRabbitmq } from '../services/rabbitmq.ts';
import { findFreePort } from '../services/service-process.ts';
import { causeSoakFaults } from './cause-soak-faults.ts';
import { driveSoak, type SoakDriven } from './drive-soak.ts';
import { judgeSoak, type SoakBound, type SoakSample, type Span } from './judge-soak.ts';
import { sampleSoak, type SoakPlaces } from './sample-soak.ts';

export interface SoakPlan {
  readonly seconds: number;
  readonly seed: number;
  /** How many faults of each kind. */
  readonly times: number;
  readonly say: (text: string) => void;
}

/** What must be 0: messages and lives that went wrong, and requests of calm times that were refused. */
export interface SoakFaultless extends LivesVerdict {
  readonly messagesLost: number;
  readonly messagesDoubled: number;
  readonly messagesUnjudged: number;
  readonly requestsRefused: number;
}

export interface SoakReport {
  readonly seconds: number;
  readonly seed: number;
  readonly faults: number;
  readonly messages: number;
  readonly composes: number;
  readonly requests: number;
  readonly wrong: SoakFaultless;
  readonly bounds: readonly SoakBound[];
  readonly isClean: boolean;
}

const QUEUE = 'soak';
const MESSAGES_PER_SECOND = 20;
const REQUESTS_PER_SECOND = 10;
const COMPOSE_EVERY_SECONDS = 2;
const SAMPLES_OF_PART = 12;
/** After the end everything has to have ended by then. */
const CALM_SECONDS = 180;

const rule = `version: 1
name: soak
owner: soak
description: Composes what an image needs when builds of the tag have settled.
on:
  - event: koji.tag
    match: { tag: f44-updates }
settle: 2s
max_wait: 10s
series: soak
compose:
  source: { type: repo, source: "UPSTREAM/fast/rule", packages: [ed] }
`;

/** A broker that starts again takes half of it, and a listener tries in ever longer steps. */
const RECOVERING_SECONDS = 20;

/** Which part of the whole each part is: at first it warms, then come the first figures, faults, a pause, and the last ones. */
function partsOf(seconds: number): { readonly first: Span; readonly faults: Span; readonly last: Span } {
  const at = (share: number): number => Math.round(seconds * share);
  const faultsEnd = Math.min(at(0.75), at(0.82) - RECOVERING_SECONDS);
  return { first: [at(0.2), at(0.35)], faults: [at(0.35), faultsEnd], last: [at(0.82), seconds] };
}

/**
 * Runs the service as processes on a real PostgreSQL and RabbitMQ, tells it messages and asks it for composes and pages at
 * a steady rate, causes faults in the middle, and holds what it takes at the end against what it took before.
 */
export async function soak(plan: SoakPlan): Promise<SoakReport> {
  const { seconds, seed, say } = plan;
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'odcs-soak-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const postgresql = await startPostgresql({ connections: 150 });
  stack.defer(() => postgresql.stop());
  const rabbitmq = await startRabbitmq();
  stack.defer(() => rabbitmq.stop());
  await (await openDatabase({ url: postgresql.url, dataDir: '' })).close();
  const repository = createDemoRepository(join(folder, 'repository'));
  await repository.add('base', new Date());
  const upstream = stack.use(await startSlowUpstream(repository.directory, () => 0));
  const port = await findFreePort();
  const environment = writeConfiguration(folder, { broker: rabbitmq.url, upstream: upstream.url });
  const target = environment.ODCS_TARGET_DIR;
  const start = (name: string, roles: string): RestartedServe => {
    const started = new RestartedServe({
      name,
      roles,
      folder,
      environment: { ...environment, ODCS_DATABASE_URL: postgresql.url, ODCS_PORT: String(port) },
    });
    stack.defer(() => started.stop());
    return started;
  };
  const service = start('service', 'api,rules,listener,announcer');
  // The first of them is the one that is killed.
  const composer = start('composer-1', 'composer');
  const processes = [service, composer, start('composer-2', 'composer'), start('janitor', 'janitor')];
  const apiUrl = `http://127.0.0.1:${port}`;
  await untilReady(apiUrl);

  const random = new Random(seed);
  const beginAt = performance.now();
  const began = new Date();
  const now = (): number => (performance.now() - beginAt) / 1000;
  const { first, faults, last } = partsOf(seconds);
  const driven: SoakDriven = { composes: [], latencies: [], requests: 0, refused: [] };
  let messages = 0;
  const ending = new AbortController();
  const publishing = publishMessages({
    url: rabbitmq.url,
    queue: QUEUE,
    count: Number.POSITIVE_INFINITY,
    rate: MESSAGES_PER_SECOND,
    batch: MESSAGES_PER_SECOND / 2,
    signal: ending.signal,
    onProgress: (confirmed) => {
      messages = confirmed;
    },
  });
  const samples: SoakSample[] = [];
  const places: SoakPlaces = { databaseUrl: postgresql.url, processes, folder };
  const sampling = takeSamples({ seconds, now, parts: [first, last] }, async () =>
    samples.push(await sampleSoak(places, { at: now(), work: messages + driven.composes.length })),
  );
  const causing = pause((faults[0] - now()) * 1000).then(() =>
    causeSoakFaults({
      random,
      seconds: faults[1] - faults[0],
      times: plan.times,
      say,
      composer,
      postgresql,
      rabbitmq,
      upstream,
    }),
  );
  await driveSoak(
    {
      random: new Random(seed + 1),
      apiUrl,
      upstreamUrl: upstream.url,
      requestsPerSecond: REQUESTS_PER_SECOND,
      composeEverySeconds: COMPOSE_EVERY_SECONDS,
      seconds,
      now,
      calm: [first, last],
    },
    driven,
  );
  ending.abort();
  await publishing;
  await sampling;
  const caused = await causing;
  const judgement = await judgeWhenCalm({ databaseUrl: postgresql.url, target, composes: driven.composes });
  for (const text of [...judgement.findings, ...driven.refused]) say(text);
  const told = await judgeMessages(postgresql.url, { messages, began });
  const bounds = judgeSoak({ first, last, samples, latencies: [...driven.latencies, ...told.latencies] });
  const wrong = { ...judgement.verdict, ...told.wrong, requestsRefused: driven.refused.length };
  const isClean = bounds.every(({ isHeld }) => isHeld) && Object.values(wrong).every((count) => count === 0);
  if (!isClean) {
    for (const { name, logFile } of processes)
      say(`--- ${name}\n${readFileSync(logFile, 'utf8').slice(-3_000)}`);
  }
  const { composes, requests } = driven;
  return {
    seconds,
    seed,
    faults: caused,
    messages,
    composes: composes.length,
    requests,
    wrong,
    bounds,
    isClean,
  };
}

function writeConfiguration(
  folder: string,
  { broker, upstream }: { readonly broker: string; readonly upstream: string },
) {
  const rules = join(folder, 'rules');
  mkdirSync(rules);
  writeFileSync(join(rules, 'soak.yaml'), rule.replace('UPSTREAM', upstream));
  const bus = join(folder, 'bus.toml');
  writeFileSync(
    bus,
    `amqp_url = "${broker}/?heartbeat=5"
[queues.${QUEUE}]
durable = true
[[bindings]]
queue = "${QUEUE}"
exchange = "amq.topic"
routing_keys = ["#"]
`,
  );
  return {
    ODCS_TARGET_DIR: join(folder, 'composes'),
    ODCS_RULES_DIR: rules,
    FEDORA_MESSAGING_CONF: bus,
    ODCS_COMPOSE_TIMEOUT: '120',
    ODCS_LOG_LEVEL: 'warn',
  };
}

/** Takes samples in each part, evenly; one that fails is an error, as nothing is broken then. */
async function takeSamples(
  { now, parts }: { readonly seconds: number; readonly now: () => number; readonly parts: readonly Span[] },
  take: () => Promise<unknown>,
): Promise<void> {
  for (const [from, to] of parts) {
    for (let at = 0; at < SAMPLES_OF_PART; at += 1) {
      const due = from + ((to - from) * (at + 0.5)) / SAMPLES_OF_PART;
      await pause(Math.max(0, (due - now()) * 1000));
      await take();
    }
  }
}

/** Looks until nothing is wrong, or until everything should long have ended. */
async function judgeWhenCalm({
  databaseUrl,
  target,
  composes,
}: {
  readonly databaseUrl: string;
  readonly target: string;
  readonly composes: readonly number[];
}): Promise<Judgement> {
  const deadline = performance.now() + CALM_SECONDS * 1000;
  for (;;) {
    const judgement = await judgeLives(
      { databaseUrl, target },
      { composes, cancelled: new Set(), events: [] },
    );
    if (judgement.findings.length === 0 || performance.now() > deadline) return judgement;
    await pause(1_000);
  }
}

const told = z.object({ sent: z.date(), judged: z.date().nullable(), message: z.string() });

/** Returns what became of the messages, and how long each took from its sending until the rules had judged it. */
async function judgeMessages(
  url: string,
  { messages, began }: { readonly messages: number; readonly began: Date },
) {
  const rows = (
    await query(
      url,
      `select sent_at as sent, matched_at as judged, message_id as message from events
       where message_id like '00000000-0000-4000-8000-%'`,
    )
  ).map((row) => told.parse(row));
  const distinct = new Set(rows.map(({ message }) => message)).size;
  return {
    wrong: {
      messagesLost: messages - distinct,
      messagesDoubled: rows.length - distinct,
      messagesUnjudged: rows.filter(({ judged }) => judged === null).length,
    },
    latencies: rows.flatMap(({ sent, judged }) =>
      judged === null
        ? []
        : [
            {
              name: 'event' as const,
              at: (sent.getTime() - began.getTime()) / 1000,
              ms: judged.getTime() - sent.getTime(),
            },
          ],
    ),
  };
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { openDatabase } from '../../src/database/database.ts';
import { Random } from '../fuzz/random.ts';
import { ensurePackages } from '../services/debian-packages.ts';
import { postgresqlPackages, startPostgresql } from '../services/postgresql.ts';
import { findFreePort } from '../services/service-process.ts';
import { askForCompose, cancelCompose, tellEvent, untilReady } from './ask-service.ts';
import { judgeLives, type Asked, type Judgement } from './judge-lives.ts';
import { RestartedServe } from './restarted-serve.ts';
import { startSlowUpstream } from './slow-upstream.ts';
import { wreakLives, type WreakPlan } from './wreak-lives.ts';

interface LivesPlan extends WreakPlan {
  readonly composes: number;
  readonly events: number;
}

const whole: LivesPlan = {
  composes: 200,
  events: 20,
  seconds: 240,
  faults: {
    'composer stopped': 4,
    'composer killed': 4,
    'PostgreSQL restarted': 1,
    'PostgreSQL crashed': 1,
  },
  sleepSeconds: [20, 20],
};
const short: LivesPlan = {
  composes: 30,
  events: 4,
  seconds: 35,
  faults: {
    'composer stopped': 1,
    'composer killed': 1,
    'PostgreSQL restarted': 1,
    'PostgreSQL crashed': 1,
  },
  sleepSeconds: [20, 5],
};

const COMPOSERS = 3;
const JANITORS = 2;
/** A tenth of the composes is cancelled, within so many seconds. */
const CANCELLED_OF = 10;
const CANCEL_WITHIN_MS = 4_000;
/** After the last fault everything has to have ended by then. */
const CALM_SECONDS = 300;
/** Few packages and fewer ways to choose them: composes that are equal meet. */
const choices: readonly [string[], ...string[][]] = [
  ['ed'],
  ['curl'],
  ['nginx'],
  ['bash', 'ed'],
  ['curl', 'ed'],
];

const rule = `version: 1
name: lives
owner: faults
description: Every change of the repository is composed, in one of two series.
on:
  - event: repo.changed
settle: 1s
max_wait: 5s
group_by: [revision]
series: lives-\${event.revision}
unchanged: compose
compose:
  source: { type: repo, source: "\${event.repo}", packages: [ed] }
`;

interface Scene {
  readonly random: Random;
  readonly plan: LivesPlan;
  readonly apiUrl: string;
  readonly upstreamUrl: string;
}

/** Asks for composes and posts events, spread over the run. Returns what the service accepted. */
async function askAll({ random, plan, apiUrl, upstreamUrl }: Scene): Promise<Asked> {
  const composes: number[] = [];
  const events: number[] = [];
  const cancelled = new Set<number>();
  const asking = Array.from({ length: plan.composes }, async (_none, at) => {
    const packages = random.pick(choices);
    const speed = random.pick(['fast', 'slow', 'slow']);
    const flags = random.below(3) === 0 ? ['no_reuse'] : [];
    const isCancelled = random.below(CANCELLED_OF) === 0;
    const patience = random.below(CANCEL_WITHIN_MS);
    await pause((plan.seconds * 1000 * at) / plan.composes);
    const source = `${upstreamUrl}/${speed}/${at}`;
    const id = await askForCompose(apiUrl, `lives-${at}`, {
      source: { type: 'repo', source, packages },
      flags,
    });
    composes.push(id);
    if (!isCancelled) return;
    await pause(patience);
    cancelled.add(id);
    await cancelCompose(apiUrl, id);
  });
  const telling = Array.from({ length: plan.events }, async (_none, at) => {
    await pause((plan.seconds * 1000 * at) / plan.events);
    const id = await tellEvent(apiUrl, {
      id: `lives-${at}`,
      topic: 'repo.changed',
      body: { repo: `${upstreamUrl}/slow/event-${at}`, revision: `r${at % 2}`, packages: ['ed'] },
    });
    if (id !== null) events.push(id);
  });
  await Promise.all([...asking, ...telling]);
  return { composes, events, cancelled };
}

/** Looks until nothing is wrong, or until everything should long have ended. */
async function judgeWhenCalm(look: () => Promise<Judgement>): Promise<Judgement> {
  const deadline = performance.now() + CALM_SECONDS * 1000;
  for (;;) {
    const judgement = await look();
    if (judgement.findings.length === 0 || performance.now() > deadline) return judgement;
    await pause(1_000);
  }
}

/**
 * Runs one `api`, three `composer` and two `janitor` processes on a real PostgreSQL and one target directory, asks for
 * composes, cancels some, tells the rules of events, and meanwhile stops composers for longer than their lease, kills
 * them, restarts and crashes PostgreSQL. Then counts what was lost, doubled, stuck, failed, half published or left.
 * Prints its counts; the last line with `--json` is one object. Returns whether all of them are 0.
 */
export async function run(argv: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...argv],
    options: { short: { type: 'boolean' }, json: { type: 'boolean' }, seed: { type: 'string' } },
  });
  const plan = values.short === true ? short : whole;
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  say(`seed ${seed}`);
  const packages = ensurePackages(postgresqlPackages);
  if (!packages.ready) throw new Error(packages.reason);
  const startedAt = performance.now();
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'odcs-lives-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const postgresql = await startPostgresql({ connections: 200 });
  stack.defer(() => postgresql.stop());
  await (await openDatabase({ url: postgresql.url, dataDir: '' })).close();
  const random = new Random(seed);
  const repository = createDemoRepository(join(folder, 'repository'));
  await repository.add('base', new Date());
  const delays = new Random(seed + 1);
  const upstream = stack.use(
    await startSlowUpstream(repository.directory, () => delays.below(1_000) / 1_000),
  );
  const rules = join(folder, 'rules');
  mkdirSync(rules);
  writeFileSync(join(rules, 'lives.yaml'), rule);
  const target = join(folder, 'composes');
  const port = await findFreePort();
  const environment = {
    ODCS_DATABASE_URL: postgresql.url,
    ODCS_TARGET_DIR: target,
    ODCS_RULES_DIR: rules,
    ODCS_PORT: String(port),
    ODCS_COMPOSE_TIMEOUT: '120',
    ODCS_LOG_LEVEL: 'info',
  };
  const start = (name: string, roles: string): RestartedServe => {
    const started = new RestartedServe({ name, roles, folder, environment });
    stack.defer(() => started.stop());
    return started;
  };
  start('api', 'api,rules,listener,announcer');
  const composers = Array.from({ length: COMPOSERS }, (_none, at) => start(`composer-${at + 1}`, 'composer'));
  const janitors = Array.from({ length: JANITORS }, (_none, at) => start(`janitor-${at + 1}`, 'janitor'));
  const apiUrl = `http://127.0.0.1:${port}`;
  await untilReady(apiUrl);
  const scene: Scene = { random, plan, apiUrl, upstreamUrl: upstream.url };
  const wreaking = wreakLives({ random, plan, say, composers, postgresql });
  const [asked] = await Promise.all([askAll(scene), wreaking]);
  const { verdict, findings, ...counts } = await judgeWhenCalm(() =>
    judgeLives({ databaseUrl: postgresql.url, target }, asked),
  );
  const isWell = findings.length === 0;
  for (const finding of findings) say(finding);
  if (!isWell) for (const { name, logFile } of [...composers, ...janitors]) say(endOf(name, logFile));
  const told = {
    ...verdict,
    seed,
    asked: asked.composes.length,
    cancelled: asked.cancelled.size,
    events: asked.events.length,
    ...counts,
    composerStarts: composers.reduce((sum, { starts }) => sum + starts, 0),
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
  };
  if (values.json === true) process.stdout.write(`${JSON.stringify(told)}\n`);
  else for (const [name, value] of Object.entries(told)) process.stdout.write(`${name}: ${value}\n`);
  return isWell;
}

function endOf(name: string, logFile: string): string {
  return `--- ${name}\n${readFileSync(logFile, 'utf8').slice(-4_000)}`;
}

import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ensurePackages } from '../services/debian-packages.ts';
import { postgresqlPackages, startPostgresql, type PostgresqlService } from '../services/postgresql.ts';
import { rabbitmqPackages, startRabbitmq, type RabbitmqService } from '../services/rabbitmq.ts';
import { openDatabase } from '../../src/database/database.ts';
import { messageIdAt, publishMessages } from './publish-messages.ts';
import { query } from './query.ts';
import { crashPostgresql } from './wreak-lives.ts';

interface FaultPlan {
  readonly messages: number;
  readonly brokerKills: number;
  readonly databaseRestarts: number;
  readonly listenerKills: number;
}

const whole: FaultPlan = { messages: 50_000, brokerKills: 5, databaseRestarts: 2, listenerKills: 5 };
const short: FaultPlan = { messages: 10_000, brokerKills: 2, databaseRestarts: 1, listenerKills: 2 };

const QUEUE = 'odcs_faults';

/** A listener process that is started again whenever it ends. */
class RestartedListener {
  readonly #env: Record<string, string>;
  #child: ChildProcess | undefined;
  #isStopping = false;
  starts = 0;

  constructor(env: Record<string, string>) {
    this.#env = env;
    this.#start();
  }

  #start(): void {
    this.starts++;
    const file = join(import.meta.dirname, 'listener-process.ts');
    const child = spawn(process.execPath, [file], {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#child = child;
    child.once('exit', () => {
      if (!this.#isStopping) setTimeout(() => this.#start(), 100);
    });
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(timer);
  }
}

async function countStored(url: string): Promise<number> {
  const [row] = await query(url, 'select count(*)::int as count from events');
  return Number(row?.['count'] ?? 0);
}

/** What the tables say: every id once, every event with exactly one job. */
async function judge(url: string, messages: number) {
  const rows = await query(url, 'select message_id, count(*)::int as count from events group by message_id');
  const stored = new Map(rows.map((row) => [String(row['message_id']), Number(row['count'])]));
  let lost = 0;
  for (let at = 0; at < messages; at++) if (!stored.has(messageIdAt(at))) lost++;
  const doubled = [...stored.values()].filter((count) => count > 1).length;
  const [jobs] = await query(
    url,
    `select count(*) filter (where jobs = 0)::int as none, count(*) filter (where jobs > 1)::int as many from (
       select events.id, count(job.id) as jobs from events
       left join pgboss.job job on job.name = 'event.match' and (job.data ->> 'eventId')::bigint = events.id
       group by events.id) per_event`,
  );
  const strange = [...stored.keys()].length - (messages - lost);
  return { lost, doubled, strange, withoutJob: Number(jobs?.['none']), withMoreJobs: Number(jobs?.['many']) };
}

interface Faults {
  readonly rabbitmq: RabbitmqService;
  readonly postgresql: PostgresqlService;
  readonly listener: RestartedListener;
  readonly say: (text: string) => void;
}

/** Faults spread over the run, each when so many messages are confirmed. */
async function wreak(plan: FaultPlan, progress: () => number, faults: Faults): Promise<void> {
  const { rabbitmq, postgresql, listener, say } = faults;
  const spread = (count: number, offset: number): number[] =>
    Array.from({ length: count }, (_, at) => (plan.messages * (at + offset)) / (count + 1));
  const planned = [
    ...spread(plan.brokerKills, 0.9).map((at) => ({ at, name: 'broker killed' as const })),
    ...spread(plan.databaseRestarts, 0.7).map((at) => ({ at, name: 'PostgreSQL restarted' as const })),
    ...spread(plan.listenerKills, 0.5).map((at) => ({ at, name: 'listener killed' as const })),
  ].toSorted((a, b) => a.at - b.at);
  for (const fault of planned) {
    while (progress() < fault.at) await pause(10);
    say(`${fault.name} at ${progress()} messages`);
    switch (fault.name) {
      case 'broker killed':
        await rabbitmq.kill();
        await rabbitmq.start();
        break;
      case 'PostgreSQL restarted':
        await crashPostgresql(postgresql);
        break;
      case 'listener killed':
        listener.kill();
        break;
      default:
        fault satisfies never;
    }
  }
}

/**
 * Publishes messages on a real RabbitMQ into a listener on a real PostgreSQL while all three are killed, then
 * counts. Prints its counts; the last line with `--json` is one object. Returns whether every message is stored
 * exactly once, with exactly one job.
 */
export async function run(argv: readonly string[]): Promise<boolean> {
  const plan = argv.includes('--short') ? short : whole;
  const isJson = argv.includes('--json');
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const packages = ensurePackages([...rabbitmqPackages, ...postgresqlPackages]);
  if (!packages.ready) throw new Error(packages.reason);
  await using stack = new AsyncDisposableStack();
  const rabbitmq = await startRabbitmq();
  stack.defer(() => rabbitmq.stop());
  const postgresql = await startPostgresql();
  stack.defer(() => postgresql.stop());
  const schema = await openDatabase({ url: postgresql.url, dataDir: '' });
  await schema.close();
  const config = `amqp_url = "${rabbitmq.url}/?heartbeat=5"\n[queues.${QUEUE}]\ndurable = true\n`;
  const listener = new RestartedListener({ FAULT_CONFIG: config, FAULT_DATABASE_URL: postgresql.url });
  stack.defer(() => listener.stop());

  let confirmed = 0;
  const startedAt = performance.now();
  const onProgress = (count: number): void => {
    confirmed = count;
  };
  const publishing = publishMessages({
    url: rabbitmq.url,
    queue: QUEUE,
    count: plan.messages,
    rate: 2_000,
    onProgress,
  });
  await wreak(plan, () => confirmed, { rabbitmq, postgresql, listener, say });
  const publishedAgain = await publishing;
  const deadline = performance.now() + 120_000;
  while ((await countStored(postgresql.url).catch(() => 0)) < plan.messages && performance.now() < deadline)
    await pause(200);
  await listener.stop();
  const verdict = await judge(postgresql.url, plan.messages);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const counts = {
    ...verdict,
    ...plan,
    publishedAgain,
    listenerStarts: listener.starts,
    seconds,
  };
  if (isJson) process.stdout.write(`${JSON.stringify(counts)}\n`);
  else for (const [name, value] of Object.entries(counts)) process.stdout.write(`${name}: ${value}\n`);
  return Object.values(verdict).every((count) => count === 0);
}

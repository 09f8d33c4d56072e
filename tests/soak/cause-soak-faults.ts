import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';
import { query } from '../faults/query.ts';
import type { RestartedServe } from '../faults/restarted-serve.ts';
import type { SlowUpstream } from '../faults/slow-upstream.ts';
import { causeFaults, spreadFaults } from '../faults/spread-faults.ts';
import { crashPostgresql } from '../faults/wreak-lives.ts';
import type { PostgresqlService } from '../services/postgresql.ts';
import type { RabbitmqService } from '../services/rabbitmq.ts';

const faultNames = [
  'composer killed',
  'broker killed',
  'PostgreSQL restarted',
  'PostgreSQL crashed',
  'connections cut',
  'file server broken',
] as const;

export interface SoakFaultContext {
  readonly random: Random;
  readonly seconds: number;
  /** How many of each kind. */
  readonly times: number;
  readonly say: (text: string) => void;
  readonly composer: RestartedServe;
  readonly postgresql: PostgresqlService;
  readonly rabbitmq: RabbitmqService;
  readonly upstream: SlowUpstream;
}

/** How long the file server answers errors. */
const BROKEN_MS = 3_000;

/** Causes every kind of fault so many times, spread over the time, in random order. Returns how many there were. */
export async function causeSoakFaults(context: SoakFaultContext): Promise<number> {
  const { random, seconds, times, say, composer, postgresql, rabbitmq, upstream } = context;
  const faults = {
    'composer killed': times,
    'broker killed': times,
    'PostgreSQL restarted': times,
    'PostgreSQL crashed': times,
    'connections cut': times,
    'file server broken': times,
  };
  const planned = spreadFaults(faultNames, { random, seconds, faults });
  await causeFaults(planned, async ({ name }, second) => {
    say(`${second} s after the first part: ${name}`);
    switch (name) {
      case 'composer killed':
        composer.signal('SIGKILL');
        break;
      case 'broker killed':
        await rabbitmq.kill();
        await rabbitmq.start();
        break;
      case 'PostgreSQL restarted':
        await postgresql.restart();
        break;
      case 'PostgreSQL crashed':
        await crashPostgresql(postgresql);
        break;
      case 'connections cut':
        await query(
          postgresql.url,
          `select pg_terminate_backend(pid) from pg_stat_activity
           where backend_type = 'client backend' and pid <> pg_backend_pid()`,
        );
        break;
      case 'file server broken':
        upstream.breakDown();
        await pause(BROKEN_MS);
        upstream.mend();
        break;
      default:
        name satisfies never;
    }
  });
  return planned.length;
}

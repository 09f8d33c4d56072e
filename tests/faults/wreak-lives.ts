import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';
import type { PostgresqlService } from '../services/postgresql.ts';
import type { RestartedServe } from './restarted-serve.ts';
import { causeFaults, spreadFaults } from './spread-faults.ts';

const faultNames = [
  'composer stopped',
  'composer killed',
  'PostgreSQL restarted',
  'PostgreSQL crashed',
] as const;

type FaultName = (typeof faultNames)[number];

/** How many faults there are of each kind, and when. */
export interface WreakPlan {
  /** Over so many seconds faults are spread. */
  readonly seconds: number;
  readonly faults: Readonly<Record<FaultName, number>>;
  /** How long a composer sleeps at least, and how much longer at most: more than its lease and until somebody looks. */
  readonly sleepSeconds: readonly [number, number];
}

export interface WreakContext {
  readonly random: Random;
  readonly plan: WreakPlan;
  readonly say: (text: string) => void;
  readonly composers: readonly RestartedServe[];
  readonly postgresql: PostgresqlService;
}

/** Faults in random order, each somewhere in its part of the run. Resolves once all composers run again. */
export async function wreakLives({ random, plan, say, composers, postgresql }: WreakContext): Promise<void> {
  const planned = spreadFaults(faultNames, { random, ...plan }).map((fault) => ({
    ...fault,
    composer: composers[random.below(composers.length)],
    sleepMs: 1000 * plan.sleepSeconds[0] + random.below(1000 * plan.sleepSeconds[1]),
  }));
  const sleeping: Promise<void>[] = [];
  await causeFaults(planned, async ({ name, composer, sleepMs }, second) => {
    say(`${second} s: ${name}${name.startsWith('composer') ? `: ${composer?.name ?? ''}` : ''}`);
    switch (name) {
      case 'composer stopped':
        composer?.signal('SIGSTOP');
        sleeping.push(pause(sleepMs).then(() => composer?.signal('SIGCONT')));
        break;
      case 'composer killed':
        composer?.signal('SIGKILL');
        break;
      case 'PostgreSQL restarted':
        await postgresql.restart();
        break;
      case 'PostgreSQL crashed':
        await crashPostgresql(postgresql);
        break;
      default:
        name satisfies never;
    }
  });
  await Promise.all(sleeping);
}

/** Ends PostgreSQL as a crash does, and starts it again a second later. */
export async function crashPostgresql(postgresql: PostgresqlService): Promise<void> {
  await postgresql.kill();
  await pause(1_000);
  await postgresql.restart();
}

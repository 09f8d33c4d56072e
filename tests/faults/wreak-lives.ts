import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';
import type { PostgresqlService } from '../services/postgresql.ts';
import type { RestartedServe } from './restarted-serve.ts';

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
  const names: FaultName[] = [];
  for (const name of faultNames) for (let at = 0; at < plan.faults[name]; at++) names.push(name);
  const part = (plan.seconds * 1000) / names.length;
  const planned = shuffle(names, random).map((name, at) => ({
    name,
    at: part * at + random.below(part),
    composer: composers[random.below(composers.length)],
    sleepMs: 1000 * plan.sleepSeconds[0] + random.below(1000 * plan.sleepSeconds[1]),
  }));
  const startedAt = performance.now();
  const sleeping: Promise<void>[] = [];
  for (const { name, at, composer, sleepMs } of planned) {
    await pause(Math.max(0, at - (performance.now() - startedAt)));
    say(
      `${Math.round((performance.now() - startedAt) / 1000)} s: ${name}${name.startsWith('composer') ? `: ${composer?.name ?? ''}` : ''}`,
    );
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
        await postgresql.kill();
        await pause(1_000);
        await postgresql.restart();
        break;
      default:
        name satisfies never;
    }
  }
  await Promise.all(sleeping);
}

function shuffle<Thing>(things: readonly Thing[], random: Random): Thing[] {
  return things
    .map((thing) => ({ thing, place: random.below(0x1_0000_0000) }))
    .toSorted((left, right) => left.place - right.place)
    .map(({ thing }) => thing);
}

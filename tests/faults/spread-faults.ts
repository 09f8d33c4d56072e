import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';

export interface FaultSchedule<Name extends string> {
  readonly random: Random;
  /** Over so many seconds faults are spread. */
  readonly seconds: number;
  /** How many faults there are of each kind. */
  readonly faults: Readonly<Record<Name, number>>;
}

/** A fault, and how many milliseconds after the beginning it comes. */
export interface PlannedFault<Name extends string> {
  readonly name: Name;
  readonly at: number;
}

/** Returns faults in random order, each somewhere in its own part of the time. `names` are those of the schedule. */
export function spreadFaults<Name extends string>(
  names: readonly Name[],
  { random, seconds, faults }: FaultSchedule<Name>,
): readonly PlannedFault<Name>[] {
  const all = names.flatMap((name) => Array.from({ length: faults[name] }, () => name));
  const part = (seconds * 1000) / Math.max(1, all.length);
  return shuffle(all, random).map((name, at) => ({ name, at: part * at + random.below(Math.floor(part)) }));
}

/** Runs what each fault does when it is due, one after the other. Resolves after the last of them. */
export async function causeFaults<Name extends string, Fault extends PlannedFault<Name>>(
  planned: readonly Fault[],
  cause: (fault: Fault, second: number) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now();
  for (const fault of planned) {
    await pause(Math.max(0, fault.at - (performance.now() - startedAt)));
    await cause(fault, Math.round((performance.now() - startedAt) / 1000));
  }
}

function shuffle<Thing>(things: readonly Thing[], random: Random): Thing[] {
  return things
    .map((thing) => ({ thing, place: random.below(0x1_0000_0000) }))
    .toSorted((left, right) => left.place - right.place)
    .map(({ thing }) => thing);
}

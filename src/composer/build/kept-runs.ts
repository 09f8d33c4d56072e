import { KeptWith } from '../../kept-with.ts';
import type { SourcePackage } from '../selection.ts';

interface KeptRun<Value> {
  readonly packages: readonly SourcePackage[];
  readonly value: Value;
}

/** A package in so many begins a run, wherever it stands. */
const MEAN_PACKAGES = 256;

/**
 * Keeps what is derived of runs of packages: a list that differs in one package from one before has all runs but that of the
 * package in common with it. What a package of a run costs where nothing changed is one comparison.
 */
export class KeptRuns<Value> {
  /** By the first package of a run, and by what else decides its value. */
  readonly #kept = new KeptWith<SourcePackage, Map<string, KeptRun<Value>>>();

  /** Returns the values of the runs of a list, in its order; `place` says what else decides them. Throws what `make` throws. */
  list(
    packages: readonly SourcePackage[],
    place: string,
    make: (run: readonly SourcePackage[]) => Value,
  ): Value[] {
    const values: Value[] = [];
    let at = 0;
    for (let first = packages[at]; first !== undefined; first = packages[at]) {
      const kept = this.#kept.get(first)?.get(place);
      if (kept?.packages.every((rpm, index) => rpm === packages[at + index]) === true) {
        values.push(kept.value);
        at += kept.packages.length;
        continue;
      }
      const run = packages.slice(at, endOfRun(packages, at));
      const value = make(run);
      const places = this.#kept.get(first) ?? new Map<string, KeptRun<Value>>();
      this.#kept.set(first, places.set(place, { packages: run, value }));
      values.push(value);
      at += run.length;
    }
    return values;
  }
}

function endOfRun(packages: readonly SourcePackage[], start: number): number {
  let end = start + 1;
  for (let next = packages[end]; next !== undefined && !beginsRun(next); next = packages[end]) end += 1;
  return end;
}

/** By its digest, so that no change elsewhere in a list moves where runs begin. */
function beginsRun({ payload }: SourcePackage): boolean {
  return Number.parseInt(payload.slice(-4), 16) % MEAN_PACKAGES === 0;
}

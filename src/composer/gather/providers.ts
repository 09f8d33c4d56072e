import type { Evr } from '../../model/evr.ts';
import type { Dependency } from '../../rpm/dependency.ts';
import { isPrimaryFile } from '../../rpm/primary-file.ts';
import { flagBitsOf } from '../../rpm/repodata/primary-sink.ts';
import { byteStringOf } from '../../rpm/repodata/xml-scan.ts';
import { AS_PROVIDE } from './looked-at.ts';
import type { Universe } from './universe.ts';
import { rangesOverlap } from './version-match.ts';

export type Greedy = 'none' | 'build' | 'all';

/** A plain dependency ready to be matched: the name as string id (-1 when nothing has it). */
export interface Wanted {
  readonly name: number;
  readonly flag: number;
  readonly evr: Evr | null;
  /** Set for a path. */
  readonly path: string | null;
}

/** A dependency of a rich one, as the universe knows it. */
export function wantedOf(universe: Universe, dependency: Dependency): Wanted {
  const { index, lookedAt } = universe;
  const name = byteStringOf(dependency.name);
  lookedAt?.addText(name, AS_PROVIDE);
  const flag = dependency.flag === undefined ? 0 : flagBitsOf(dependency.flag);
  const { epoch = '0', version = '', release = '' } = dependency;
  return {
    name: index.strings.find(name),
    flag,
    evr: flag === 0 ? null : { epoch, version, release },
    path: dependency.name.startsWith('/') ? dependency.name : null,
  };
}

/** A dependency of the index's table. */
export function wantedById(universe: Universe, dependency: number): Wanted {
  const { index, evrs } = universe;
  const { dependencies, strings } = index;
  const name = dependencies.nameOf(dependency);
  const flag = dependencies.flagOf(dependency);
  return {
    name,
    flag,
    evr: flag === 0 ? null : evrs.get(dependencies.evrOf(dependency)),
    path: dependencies.isPath(dependency) ? strings.get(name) : null,
  };
}

/** Chooses among the packages that provide something. Source: pungi contract 1.6. */
export class Providers {
  readonly #universe: Universe;
  readonly #isInResult: (id: number) => boolean;
  readonly #greedy: Greedy;
  /** Set once a path was asked for that only filelists can answer and have not. */
  needsFiles = false;

  constructor(universe: Universe, greedy: Greedy, isInResult: (id: number) => boolean) {
    this.#universe = universe;
    this.#greedy = greedy;
    this.#isInResult = isInResult;
  }

  /**
   * Returns the package of a kind that a mere name asks for where nothing else provides it, as most names have it; -1
   * where there is more to be looked at.
   */
  onlyOne(dependency: number, kind: number): number {
    const { index, kinds, superseded, lookedAt } = this.#universe;
    const { firstProvide, nextProvide, provideOwner } = index.columns;
    if (!index.dependencies.isPlainName(dependency)) return -1;
    const name = index.dependencies.nameOf(dependency);
    const entry = firstProvide.at(name);
    if (entry < 0 || nextProvide.at(entry) >= 0) return -1;
    const id = provideOwner.at(entry);
    if (kinds[id] !== kind || superseded[id] === 1) return -1;
    if (lookedAt !== null) {
      lookedAt.addString(name, AS_PROVIDE);
      lookedAt.addMet(id);
      lookedAt.addConsidered([id]);
    }
    return id;
  }

  /** Every visible package of a kind that provides what is wanted, superseded ones included, each once. */
  all(wanted: Wanted, kind: number): number[] {
    const { index, kinds, evrs, lookedAt } = this.#universe;
    const { firstProvide, nextProvide, provideOwner, provideFlag, provideEvr } = index.columns;
    const found: number[] = [];
    lookedAt?.addString(wanted.name, AS_PROVIDE);
    if (wanted.path !== null) lookedAt?.addPath(wanted.name);
    if (wanted.name >= 0) {
      for (let entry = firstProvide.at(wanted.name); entry >= 0; entry = nextProvide.at(entry)) {
        const id = provideOwner.at(entry);
        lookedAt?.addMet(id);
        if (kinds[id] !== kind || found.at(-1) === id) continue;
        if (wanted.evr !== null) {
          const flag = provideFlag.at(entry);
          // What provides no version provides every version.
          const evr = flag === 0 ? null : evrs.get(provideEvr.at(entry));
          if (evr !== null && !rangesOverlap(flag, evr, wanted.flag, wanted.evr)) continue;
        }
        found.push(id);
      }
    }
    lookedAt?.addConsidered(found);
    if (wanted.path !== null && !index.answeredPaths.has(wanted.name)) {
      if (found.length === 0 || !isPrimaryFile(wanted.path)) this.needsFiles = true;
    }
    return found;
  }

  /** The latest packages of a kind that provide what is wanted. */
  latest(wanted: Wanted, kind: number): number[] {
    const { superseded } = this.#universe;
    return this.all(wanted, kind).filter((id) => superseded[id] !== 1);
  }

  /** Returns what of the candidates for an input is taken: all of them (greedy all), or the best. */
  choose(candidates: readonly number[]): readonly number[] {
    if (candidates.length < 2) return candidates;
    if (this.#greedy === 'all') return [...candidates].sort((a, b) => this.compare(a, b));
    const best = this.best(candidates);
    return best < 0 ? [] : [best];
  }

  /**
   * Returns what of the candidates for a requirement is taken: as for an input, and under greedy build beside the best
   * those of its kind from the same source RPM. Source: pungi contract 1.6 step 4.
   */
  chooseForRequirement(candidates: readonly number[]): readonly number[] {
    const chosen = this.choose(candidates);
    const [best] = chosen;
    if (this.#greedy !== 'build' || best === undefined || candidates.length < 2) return chosen;
    const { sourceRpm } = this.#universe.index.columns;
    const isNative = this.#isNative(best);
    const siblings = this.#withoutShadowed(candidates).filter(
      (id) =>
        id !== best &&
        sourceRpm.at(id) === sourceRpm.at(best) &&
        sourceRpm.at(id) >= 0 &&
        this.#isNative(id) === isNative,
    );
    return [best, ...siblings.sort((a, b) => this.compare(a, b))];
  }

  /** The best of the candidates, or -1. */
  best(candidates: readonly number[]): number {
    if (candidates.length < 2) return candidates[0] ?? -1;
    const open = this.#withoutShadowed(candidates);
    let best = -1;
    let bestTier = 4;
    for (const id of open) {
      const tier = (this.#isInResult(id) ? 0 : 2) + (this.#isNative(id) ? 0 : 1);
      if (tier < bestTier || (tier === bestTier && this.compare(id, best) < 0)) {
        best = id;
        bestTier = tier;
      }
    }
    return best;
  }

  /** Best arch, then shortest name, then name; equal copies: lookaside first, then the first repository. */
  compare(left: number, right: number): number {
    const { index, places, lookaside } = this.#universe;
    const { arch, name, evr, repository } = index.columns;
    const ranks = (places.get(arch.at(left))?.rank ?? 99) - (places.get(arch.at(right))?.rank ?? 99);
    if (ranks !== 0) return ranks;
    if (name.at(left) !== name.at(right)) {
      const lengths = index.strings.lengthOf(name.at(left)) - index.strings.lengthOf(name.at(right));
      if (lengths !== 0) return lengths;
      return index.strings.get(name.at(left)) < index.strings.get(name.at(right)) ? -1 : 1;
    }
    const a = repository.at(left);
    const b = repository.at(right);
    const asides = (lookaside[right] ?? 0) - (lookaside[left] ?? 0);
    if (asides !== 0) return asides;
    if (evr.at(left) !== evr.at(right)) {
      return this.#universe.evrs.compare(evr.at(right), evr.at(left));
    }
    if (a !== b) return a - b;
    return index.pkgidOf(left) < index.pkgidOf(right) ? -1 : left === right ? 0 : 1;
  }

  #isNative(id: number): boolean {
    const { index, places } = this.#universe;
    return places.get(index.columns.arch.at(id))?.isNative === true;
  }

  /** Leaves out packages whose name and EVR a candidate from a lookaside repository has too. */
  #withoutShadowed(candidates: readonly number[]): readonly number[] {
    const { index, lookaside } = this.#universe;
    const { name, evr } = index.columns;
    const isAside = (id: number): boolean => lookaside[id] === 1;
    const asides = candidates.filter(isAside);
    if (asides.length === 0 || asides.length === candidates.length) return candidates;
    return candidates.filter(
      (id) =>
        isAside(id) ||
        !asides.some((aside) => name.at(aside) === name.at(id) && evr.at(aside) === evr.at(id)),
    );
  }
}

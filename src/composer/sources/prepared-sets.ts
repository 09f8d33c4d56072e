import { loadRepositories } from '../gather/load-repositories.ts';
import { prepareSet, updateSet, type PreparedSet } from './koji-gather-index.ts';
import type { IndexedCopy, KojiIndex } from './koji-index.ts';

/** Which packages are wanted to gather from. */
export interface WantedSet {
  /** Equal for requests whose packages are likely the same or nearly so. */
  readonly name: string;
  readonly copies: readonly IndexedCopy[];
  /** Lookaside repositories, with `$basearch` in them. */
  readonly lookaside: readonly string[];
}

/** Checks a lookaside repository and answers where it is. */
export type OpenLookaside = (place: string) => Promise<string>;

/**
 * Keeps the indexes of the sets gathered from last: the next request of the same name costs what differs. One
 * request at a time uses a set.
 */
export class PreparedSets {
  readonly #known: KojiIndex;
  readonly #openLookaside: OpenLookaside;
  readonly #most: number;
  readonly #kept = new Map<string, PreparedSet>();
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(known: KojiIndex, openLookaside: OpenLookaside, most = 3) {
    this.#known = known;
    this.#openLookaside = openLookaside;
    this.#most = most;
  }

  /** Prepares a set and lets `work` use it; without lookaside repositories all arches share one. */
  async use<Result>(
    wanted: WantedSet,
    signal: AbortSignal,
    work: (setOf: (arch: string) => Promise<PreparedSet>) => Promise<Result>,
  ): Promise<Result> {
    if (wanted.lookaside.length > 0) return work((arch) => this.#withLookaside(wanted, arch, signal));
    const before = this.#last.get(wanted.name) ?? Promise.resolve();
    const run = before.then(
      () => work(() => Promise.resolve(this.#prepare(wanted))),
      () => work(() => Promise.resolve(this.#prepare(wanted))),
    );
    this.#last.set(wanted.name, run);
    try {
      return await run;
    } finally {
      if (this.#last.get(wanted.name) === run) this.#last.delete(wanted.name);
    }
  }

  #prepare(wanted: WantedSet): PreparedSet {
    const kept = this.#kept.get(wanted.name);
    this.#kept.delete(wanted.name);
    const isCurrent = kept !== undefined && updateSet(this.#known, kept, wanted.copies);
    const set = isCurrent ? kept : prepareSet(this.#known, wanted.copies);
    this.#kept.set(wanted.name, set);
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break;
      this.#kept.delete(old);
    }
    return set;
  }

  async #withLookaside(wanted: WantedSet, arch: string, signal: AbortSignal): Promise<PreparedSet> {
    const places = await Promise.all(
      wanted.lookaside.map((place) => this.#openLookaside(place.replaceAll('$basearch', arch))),
    );
    const context = { fetch: globalThis.fetch, signal };
    const loaded = await loadRepositories(
      context,
      places.map((location) => ({ location, isLookaside: true })),
    );
    return prepareSet(this.#known, wanted.copies, loaded);
  }
}

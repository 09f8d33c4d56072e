import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { inTurns } from '../../in-turns.ts';
import { ReactorError } from '../../model/errors.ts';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import { loadRepositories } from '../gather/load-repositories.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { loadIndex, saveIndex } from '../gather/index-file.ts';
import { removeOldest } from '../../cache/remove-oldest.ts';
import { prepareSet, setOfSaved, updateSet, type PreparedSet } from './koji-gather-index.ts';
import type { IndexedCopy, KojiIndex } from './koji-index.ts';

/** Which packages are wanted to gather from. */
export interface WantedSet {
  /** Equal for requests whose packages are likely the same or nearly so. */
  readonly name: string;
  readonly copies: readonly IndexedCopy[];
  /** Lookaside repositories, with `$basearch` in them. */
  readonly lookaside: readonly string[];
}

/** How lookaside repositories are read. */
export interface LookasideAccess {
  /** Checks one and returns where it is. */
  readonly open: (place: string) => Promise<string>;
  /** Without it only local ones are read. */
  readonly readUrl?: ReadUrl;
}

interface KeptSet {
  readonly set: PreparedSet;
  /** Packages that changed since it was saved. */
  unsaved: number;
}

const SAVED_AS = 'koji-set-1';
/** Files of indexes on disk; each takes about a kilobyte for a package. */
const MOST_SAVED = 32;
const SAVE_AFTER = 200;
/** Smaller sets are made anew as fast as they are read. */
const WORTH_SAVING = 2000;

/**
 * Keeps the indexes of the sets gathered from last: the next request of the same name costs what differs. One
 * request at a time uses a set.
 */
export class PreparedSets {
  readonly #known: KojiIndex;
  readonly #directory: string;
  readonly #access: LookasideAccess;
  readonly #kept: LRUCache<string, KeptSet>;
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(known: KojiIndex, directory: string, access: LookasideAccess, most = 3) {
    this.#known = known;
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    this.#access = access;
    this.#kept = new LRUCache({ max: most });
  }

  /** Prepares a set and lets `work` use it; without lookaside repositories all arches share one. */
  async use<Result>(
    wanted: WantedSet,
    signal: AbortSignal,
    work: (setOf: (arch: string) => Promise<PreparedSet>) => Promise<Result>,
  ): Promise<Result> {
    if (wanted.lookaside.length > 0) {
      const described: PreparedSet['described'] = new Map();
      return work((arch) => this.#withLookaside(wanted, arch, described, signal));
    }
    const before = this.#last.get(wanted.name) ?? Promise.resolve();
    const begin = async (): Promise<Result> => {
      signal.throwIfAborted();
      const set = await this.#prepare(wanted);
      const result = await work(() => Promise.resolve(set));
      await this.#save(wanted.name, set);
      return result;
    };
    const run = before.then(begin, begin);
    this.#last.set(wanted.name, run);
    const forget = (): void => {
      if (this.#last.get(wanted.name) === run) this.#last.delete(wanted.name);
    };
    run.then(forget, forget);
    return unlessAborted(signal, run);
  }

  async #prepare(wanted: WantedSet): Promise<PreparedSet> {
    const kept = this.#kept.get(wanted.name) ?? (await this.#load(wanted.name));
    const changes = kept === null ? null : await inTurns(updateSet(this.#known, kept.set, wanted.copies));
    const entry =
      kept === null || changes === null
        ? { set: await inTurns(prepareSet(this.#known, wanted.copies)), unsaved: Infinity }
        : { set: kept.set, unsaved: kept.unsaved + changes };
    this.#kept.set(wanted.name, entry);
    return entry.set;
  }

  #pathOf(name: string): string {
    return join(this.#directory, `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.index`);
  }

  async #load(name: string): Promise<KeptSet | null> {
    try {
      const index = await loadIndex(this.#pathOf(name), SAVED_AS);
      return index === null ? null : { set: setOfSaved(index), unsaved: 0 };
    } catch (error) {
      // A file that cannot be read is only a cache that is made anew.
      if (error instanceof ReactorError) return null;
      throw error;
    }
  }

  /** Saves an index that took long to make, with what its files were asked, for the next process. */
  async #save(name: string, set: PreparedSet): Promise<void> {
    const kept = this.#kept.get(name);
    if (kept?.set !== set || kept.unsaved < SAVE_AFTER || set.index.count < WORTH_SAVING) return;
    kept.unsaved = 0;
    await saveIndex(this.#pathOf(name), set.index, SAVED_AS);
    await removeOldest(this.#directory, MOST_SAVED);
  }

  async #withLookaside(
    wanted: WantedSet,
    arch: string,
    described: PreparedSet['described'],
    signal: AbortSignal,
  ): Promise<PreparedSet> {
    const places = await Promise.all(
      wanted.lookaside.map((place) => this.#access.open(place.replaceAll('$basearch', arch))),
    );
    const { readUrl } = this.#access;
    const context = readUrl === undefined ? { signal } : { readUrl, signal };
    const loaded = await loadRepositories(
      context,
      places.map((location) => ({ location, isLookaside: true })),
    );
    return inTurns(prepareSet(this.#known, wanted.copies, loaded, described));
  }
}

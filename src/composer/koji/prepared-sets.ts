import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { inTurns } from '../../in-turns.ts';
import { ReactorError } from '../../model/errors.ts';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import { loadRepositories } from '../gather/load-repositories.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { loadIndex, saveIndex } from '../gather/index-file.ts';
import { cachePlace, removeOldFormats, type CacheMaking } from '../../cache/cache-place.ts';
import type { Cache, CacheSize } from '../../cache/cache-registry.ts';
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

const making: CacheMaking = { name: 'sets', format: 3, isOfRecipe: true };
/** Indexes on disk; each takes about a kilobyte for a package. */
const MOST_SAVED = { files: 32, bytes: 2 * 1024 ** 3 };
const SAVE_AFTER = 200;
/** Smaller sets are made anew as fast as they are read. */
const WORTH_SAVING = 2000;

/**
 * Keeps the indexes of the sets gathered from last: the next request of the same name costs what differs. One
 * request at a time uses a set.
 */
export class PreparedSets implements Cache {
  readonly #known: KojiIndex;
  readonly #directory: string;
  /** Where indexes are saved. */
  readonly #saved: string;
  readonly #access: LookasideAccess;
  readonly #kept: LRUCache<string, KeptSet>;
  readonly #last = new Map<string, Promise<unknown>>();

  /** Makes it of a directory, in which it has one of its own. */
  constructor(known: KojiIndex, directory: string, access: LookasideAccess, most = 3) {
    this.#known = known;
    this.#directory = directory;
    this.#saved = cachePlace(directory, making);
    mkdirSync(this.#saved, { recursive: true });
    this.#access = access;
    this.#kept = new LRUCache({ max: most });
  }

  /** Returns how many sets are in memory, and the bytes of those on disk. */
  measure(): readonly CacheSize[] {
    const bytes = readdirSync(this.#saved).reduce(
      (sum, name) => sum + (statSync(join(this.#saved, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
    return [{ name: 'koji sets', entries: this.#kept.size, bytes }];
  }

  async prune(now: Date): Promise<number> {
    removeOldFormats(this.#directory, making, now);
    return removeOldest(this.#saved, MOST_SAVED);
  }

  /**
   * Prepares a set and lets `work` use it, once more where what it reads of a saved one turns out to be damaged. Without
   * lookaside repositories all arches share a set.
   */
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
      try {
        return await this.#useKept(wanted, work);
      } catch (error) {
        if (!(error instanceof ReactorError) || error.code !== 'gather.index_broken') throw error;
      }
      // It is only a cache: what is damaged, which shows when it is read, goes, and is made anew.
      this.#kept.delete(wanted.name);
      await rm(this.#pathOf(wanted.name), { force: true });
      return this.#useKept(wanted, work);
    };
    const run = before.then(begin, begin);
    this.#last.set(wanted.name, run);
    const forget = (): void => {
      if (this.#last.get(wanted.name) === run) this.#last.delete(wanted.name);
    };
    run.then(forget, forget);
    return unlessAborted(signal, run);
  }

  async #useKept<Result>(
    wanted: WantedSet,
    work: (setOf: (arch: string) => Promise<PreparedSet>) => Promise<Result>,
  ): Promise<Result> {
    const set = await this.#prepare(wanted);
    const result = await work(() => Promise.resolve(set));
    await this.#save(wanted.name, set);
    return result;
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
    return join(this.#saved, `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.index`);
  }

  async #load(name: string): Promise<KeptSet | null> {
    const index = await loadIndex(this.#pathOf(name), name);
    return index === null ? null : { set: setOfSaved(index), unsaved: 0 };
  }

  /** Saves an index that took long to make, with what its files were asked, for the next process. */
  async #save(name: string, set: PreparedSet): Promise<void> {
    const kept = this.#kept.get(name);
    if (kept?.set !== set || kept.unsaved < SAVE_AFTER || set.index.count < WORTH_SAVING) return;
    kept.unsaved = 0;
    await saveIndex(this.#pathOf(name), set.index, name);
    await removeOldest(this.#saved, MOST_SAVED);
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

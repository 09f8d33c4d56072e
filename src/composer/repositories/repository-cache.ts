import { unlessAborted } from '../unless-aborted.ts';
import {
  loadRepositories,
  type LoadedRepositories,
  type RepositoryToLoad,
} from '../gather/load-repositories.ts';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import { openRepository, type Repository } from '../../rpm/repodata/read-repository.ts';

/**
 * Keeps the indexes of the repositories that were read last, by the checksums of their metadata, so that asking a
 * repository that has not changed costs its repomd.xml only. Least recently used ones are dropped.
 */
export class RepositoryCache {
  readonly #kept = new Map<string, LoadedRepositories>();
  readonly #loading = new Map<string, Promise<LoadedRepositories>>();
  readonly #most: number;
  readonly #remote: { readonly readUrl?: ReadUrl };

  /** Without `readUrl` only local repositories are read. */
  constructor({ most = 8, readUrl }: { readonly most?: number; readonly readUrl?: ReadUrl } = {}) {
    this.#most = most;
    this.#remote = readUrl === undefined ? {} : { readUrl };
  }

  /**
   * Opens a repository with its lookaside ones, all by directory or URL; who asks at the same time shares the work.
   * Throws what `loadRepositories` throws, and the signal's reason at once when it aborts.
   */
  async load(signal: AbortSignal, main: string, lookaside: readonly string[]): Promise<LoadedRepositories> {
    const wanted = [
      ...lookaside.map((location) => ({ location, isLookaside: true })),
      { location: main, isLookaside: false },
    ];
    const opened = await Promise.all(
      wanted.map(({ location }) => openRepository({ ...this.#remote, signal }, location)),
    );
    const key = keyOf(opened);
    const found = this.#kept.get(key);
    if (found !== undefined) {
      this.#keep(key, found);
      return found;
    }
    const loading = this.#loading.get(key) ?? this.#start(key, wanted);
    return unlessAborted(signal, loading);
  }

  /** What is kept outlives the job that asked first, so it must not end with that job's signal. */
  #start(key: string, wanted: readonly RepositoryToLoad[]): Promise<LoadedRepositories> {
    const loading = loadRepositories(this.#remote, wanted)
      .then((loaded) => {
        // By what was loaded, not by what was looked up: it may have changed in between.
        this.#keep(keyOf(loaded.repositories), loaded);
        return loaded;
      })
      .finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  #keep(key: string, loaded: LoadedRepositories): void {
    this.#kept.delete(key);
    this.#kept.set(key, loaded);
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break;
      this.#kept.delete(old);
    }
  }
}

/** Lookaside ones first, as they are loaded. */
function keyOf(repositories: readonly Repository[]): string {
  return repositories
    .map(
      ({ location, revision, records }) =>
        `${location} ${revision} ${records.map((one) => `${one.type}=${one.checksum?.value ?? ''}`).join(' ')}`,
    )
    .join('\n');
}

import { LRUCache } from 'lru-cache';
import { SharedWork } from '../../shared-work.ts';
import { loadRepositories, type LoadedRepositories } from '../gather/load-repositories.ts';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import { openRepository, type Repository } from '../../rpm/repodata/read-repository.ts';

/**
 * Keeps the indexes of the repositories that were read last, by the checksums of their metadata, so that asking a
 * repository that has not changed costs its repomd.xml only. Least recently used ones are dropped.
 */
export class RepositoryCache {
  readonly #kept: LRUCache<string, LoadedRepositories>;
  readonly #loading = new SharedWork<LoadedRepositories>();
  readonly #remote: { readonly readUrl?: ReadUrl };

  /** Without `readUrl` only local repositories are read. */
  constructor({ most = 8, readUrl }: { readonly most?: number; readonly readUrl?: ReadUrl } = {}) {
    this.#kept = new LRUCache({ max: most });
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
    if (found !== undefined) return found;
    return this.#loading.run(key, signal, async (until) => {
      const loaded = await loadRepositories({ ...this.#remote, signal: until }, wanted);
      // By what was loaded, not by what was looked up: it may have changed in between.
      if (loaded.repositories.every(isRecognised)) this.#kept.set(keyOf(loaded.repositories), loaded);
      return loaded;
    });
  }
}

/** Whether another content would show: a file without a checksum looks the same whatever it holds. */
function isRecognised(repository: Repository): boolean {
  return ['primary', 'filelists', 'other'].every((type) => repository.record(type)?.checksum !== null);
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

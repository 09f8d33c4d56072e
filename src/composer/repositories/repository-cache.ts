import { LRUCache } from 'lru-cache';
import type { Cache, CacheSize } from '../../cache/cache-registry.ts';
import { SharedWork } from '../../shared-work.ts';
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
export class RepositoryCache implements Cache {
  readonly #kept: LRUCache<string, LoadedRepositories>;
  readonly #loading = new SharedWork<LoadedRepositories>();
  readonly #remote: { readonly readUrl?: ReadUrl };

  /** Without `readUrl` only local repositories are read. */
  constructor({ most = 8, readUrl }: { readonly most?: number; readonly readUrl?: ReadUrl } = {}) {
    this.#kept = new LRUCache({ max: most });
    this.#remote = readUrl === undefined ? {} : { readUrl };
  }

  measure(): readonly CacheSize[] {
    return [{ name: 'repositories', entries: this.#kept.size, bytes: null }];
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
    return (await this.open(signal, wanted)).load();
  }

  /** Opens repositories, lookaside ones first, and indexes them when it is asked to. Throws as `load` does. */
  async open(signal: AbortSignal, wanted: readonly RepositoryToLoad[]): Promise<OpenedRepositories> {
    const repositories = await Promise.all(
      wanted.map(({ location }) => openRepository({ ...this.#remote, signal }, location)),
    );
    return {
      repositories,
      load: () => this.#load(signal, wanted, repositories),
      loadOwn: () => loadRepositories({ ...this.#remote, signal }, wanted),
    };
  }

  async #load(
    signal: AbortSignal,
    wanted: readonly RepositoryToLoad[],
    opened: readonly Repository[],
  ): Promise<LoadedRepositories> {
    // Which of them are lookaside ones is a part of their index.
    const asides = wanted.filter(({ isLookaside }) => isLookaside).length;
    const keyOf = (repositories: readonly Repository[]): string =>
      `${asides} ${identityOfRepositories(repositories)}`;
    const key = keyOf(opened);
    const found = this.#kept.get(key);
    if (found !== undefined) return found;
    return this.#loading.run(key, signal, async (until) => {
      const loaded = await loadRepositories({ ...this.#remote, signal: until }, wanted);
      // By what was loaded, not by what was looked up: it may have changed in between.
      if (areRecognised(loaded.repositories)) this.#kept.set(keyOf(loaded.repositories), loaded);
      return loaded;
    });
  }
}

/** Repositories whose repomd.xml was read, and what indexes them. */
export interface OpenedRepositories {
  readonly repositories: readonly Repository[];
  readonly load: () => Promise<LoadedRepositories>;
  /** Makes an index that nobody else has, so that more may be added. */
  readonly loadOwn: () => Promise<LoadedRepositories>;
}

/** Whether another content of any would show: a file without a checksum looks the same whatever it holds. */
export function areRecognised(repositories: readonly Repository[]): boolean {
  const types = ['primary', 'filelists', 'other'];
  return repositories.every((repository) =>
    types.every((type) => repository.record(type)?.checksum !== null),
  );
}

/** Returns what repositories are, by place and by the checksums of their metadata. */
export function identityOfRepositories(repositories: readonly Repository[]): string {
  return repositories
    .map(
      ({ location, revision, records }) =>
        `${location} ${revision} ${records.map((record) => `${record.type}=${record.checksum?.value ?? ''}`).join(' ')}`,
    )
    .join('\n');
}

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

/** Bytes of metadata files that are kept as they are. */
const MOST_BYTES_OF_RECORDS = 64 * 1024 * 1024;

/**
 * Keeps the indexes of the repositories that were read last, and of their metadata files those that were read whole
 * (advisories, groups, modules), by the checksums in their repomd.xml: asking a repository that has not changed costs its
 * repomd.xml only. Least recently used ones are dropped.
 */
export class RepositoryCache implements Cache {
  readonly #kept: LRUCache<string, LoadedRepositories>;
  readonly #records = new LRUCache<string, Buffer>({
    maxSize: MOST_BYTES_OF_RECORDS,
    sizeCalculation: ({ length }) => Math.max(1, length),
  });
  readonly #loading = new SharedWork<LoadedRepositories>();
  readonly #remote: { readonly readUrl?: ReadUrl };

  /** Without `readUrl` only local repositories are read. */
  constructor({ most = 8, readUrl }: { readonly most?: number; readonly readUrl?: ReadUrl } = {}) {
    this.#kept = new LRUCache({ max: most });
    this.#remote = readUrl === undefined ? {} : { readUrl };
  }

  measure(): readonly CacheSize[] {
    return [
      { name: 'repositories', entries: this.#kept.size, bytes: null },
      { name: 'metadata files', entries: this.#records.size, bytes: this.#records.calculatedSize },
    ];
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
      wanted.map(async ({ location }) =>
        this.#keepingRecords(await openRepository({ ...this.#remote, signal }, location)),
      ),
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
      const read = await loadRepositories({ ...this.#remote, signal: until }, wanted);
      const loaded = {
        ...read,
        repositories: read.repositories.map((repository) => this.#keepingRecords(repository)),
      };
      // By what was loaded, not by what was looked up: it may have changed in between.
      if (areRecognised(loaded.repositories)) this.#kept.set(keyOf(loaded.repositories), loaded);
      return loaded;
    });
  }

  /** Returns a repository whose files are read once, as long as its repomd.xml names the same ones by their checksums. */
  #keepingRecords(repository: Repository): Repository {
    return {
      ...repository,
      readRecord: async (type) => {
        const checksum = repository.record(type)?.checksum ?? null;
        if (checksum === null) return repository.readRecord(type);
        const key = `${repository.location} ${type} ${checksum.type}:${checksum.value}`;
        const kept = this.#records.get(key);
        if (kept !== undefined) return kept;
        const bytes = await repository.readRecord(type);
        this.#records.set(key, bytes);
        return bytes;
      },
    };
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

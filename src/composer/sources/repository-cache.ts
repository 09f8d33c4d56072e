import { loadRepositories, type LoadedRepositories } from '../gather/load-repositories.ts';
import { openRepository } from '../../rpm/repodata/read-repository.ts';

/**
 * Keeps the indexes of the repositories that were read last, by the checksums of their metadata, so that asking a
 * repository that has not changed costs its repomd.xml only. Least recently used ones are dropped.
 */
export class RepositoryCache {
  readonly #kept = new Map<string, LoadedRepositories>();
  readonly #most: number;

  constructor(most = 8) {
    this.#most = most;
  }

  /** Opens a repository with its lookaside ones, all by directory or URL. Throws what `loadRepositories` throws. */
  async load(signal: AbortSignal, main: string, lookaside: readonly string[]): Promise<LoadedRepositories> {
    signal.throwIfAborted();
    // What is kept outlives the job that asked first, so it must not end with that job's signal.
    const context = { fetch: globalThis.fetch };
    const wanted = [
      ...lookaside.map((location) => ({ location, isLookaside: true })),
      { location: main, isLookaside: false },
    ];
    const key = (
      await Promise.all(
        wanted.map(async ({ location }) => {
          const { records } = await openRepository(context, location);
          return `${location} ${records.map((record) => `${record.type}=${record.checksum.value}`).join(' ')}`;
        }),
      )
    ).join('\n');
    const found = this.#kept.get(key);
    if (found !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, found);
      return found;
    }
    const loaded = await loadRepositories(context, wanted);
    this.#kept.set(key, loaded);
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break;
      this.#kept.delete(old);
    }
    return loaded;
  }
}

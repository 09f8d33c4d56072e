/** How much a cache holds now. */
export interface CacheSize {
  /** How people call the cache. */
  readonly name: string;
  readonly entries: number;
  /** On disk, or in memory for a cache of memory; null for one that is counted in entries only. */
  readonly bytes: number | null;
}

/** Something that keeps what was made or read once. */
export interface Cache {
  /** Returns what it holds now; it may be one cache or several. */
  measure(): readonly CacheSize[];
  /**
   * Removes what is too old, too much, or of other versions of this program; returns the bytes freed. Left out by caches
   * of memory, which keep their limits themselves.
   */
  prune?(now: Date): Promise<number>;
}

/** Every cache of a process: what people see in the metrics and what its janitor keeps within limits. */
export class CacheRegistry {
  readonly #caches: Cache[] = [];

  /** Takes a cache in and returns it. */
  register<One extends Cache>(cache: One): One {
    this.#caches.push(cache);
    return cache;
  }

  /** Returns what all of them hold, those of one name together. */
  measure(): readonly CacheSize[] {
    const sizes = new Map<string, CacheSize>();
    for (const size of this.#caches.flatMap((cache) => cache.measure())) {
      const { entries = 0, bytes = null } = sizes.get(size.name) ?? {};
      const sum = bytes === null && size.bytes === null ? null : (bytes ?? 0) + (size.bytes ?? 0);
      sizes.set(size.name, { name: size.name, entries: entries + size.entries, bytes: sum });
    }
    return [...sizes.values()];
  }

  /** Prunes one after the other; returns the bytes freed. Throws what the first throws that fails, after all others. */
  async prune(now: Date): Promise<number> {
    let freed = 0;
    const failures: unknown[] = [];
    for (const cache of this.#caches) {
      try {
        freed += (await cache.prune?.(now)) ?? 0;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return freed;
  }
}

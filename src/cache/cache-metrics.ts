import { Gauge, type Registry } from 'prom-client';

/** How much a cache holds now. */
export interface CacheSize {
  /** How people call the cache. */
  readonly name: string;
  readonly entries: number;
  /** On disk; null for a cache that is counted in entries only. */
  readonly bytes: number | null;
}

const gauges: readonly {
  readonly name: string;
  readonly help: string;
  readonly valueOf: (size: CacheSize) => number | null;
}[] = [
  { name: 'odcs_cache_entries', help: 'Entries of a cache.', valueOf: ({ entries }) => entries },
  { name: 'odcs_cache_bytes', help: 'Bytes of a cache on disk.', valueOf: ({ bytes }) => bytes },
];

/** Registers what the caches of a composer hold, asked at each look. */
export function registerCacheMetrics(registry: Registry, measure: () => readonly CacheSize[]): void {
  for (const { name, help, valueOf } of gauges) {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['cache'],
      registers: [],
      collect() {
        this.reset();
        for (const size of measure()) {
          const value = valueOf(size);
          if (value !== null) this.set({ cache: size.name }, value);
        }
      },
    });
    registry.registerMetric(gauge);
  }
}

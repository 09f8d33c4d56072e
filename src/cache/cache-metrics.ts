import { Gauge, type Registry } from 'prom-client';
import type { CacheRegistry, CacheSize } from './cache-registry.ts';

const gauges: readonly {
  readonly name: string;
  readonly help: string;
  readonly valueOf: (size: CacheSize) => number | null;
}[] = [
  { name: 'odcs_cache_entries', help: 'Entries of a cache.', valueOf: ({ entries }) => entries },
  { name: 'odcs_cache_bytes', help: 'Bytes of a cache.', valueOf: ({ bytes }) => bytes },
];

/** Registers gauges of what the caches of a process hold, asked at each look. */
export function registerCacheMetrics(registry: Registry, caches: Pick<CacheRegistry, 'measure'>): void {
  for (const { name, help, valueOf } of gauges) {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['cache'],
      registers: [],
      collect() {
        this.reset();
        for (const size of caches.measure()) {
          const value = valueOf(size);
          if (value !== null) this.set({ cache: size.name }, value);
        }
      },
    });
    registry.registerMetric(gauge);
  }
}

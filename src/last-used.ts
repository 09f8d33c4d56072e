import { LRUCache } from 'lru-cache';

/**
 * Returns a cache of the values that were used last, `most` of them, whose memory grows with what it holds: one with
 * the option `max` lays out room for all of them at once, 20 bytes and 0.2 µs each.
 */
export function keepLastUsed<Value extends NonNullable<unknown>>(most: number): LRUCache<string, Value> {
  return new LRUCache({ maxSize: most, sizeCalculation: () => 1 });
}

import type { Hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { keepLastUsed } from '../../last-used.ts';

/** A packed block of one metadata file. */
export interface PackedBlock {
  readonly bytes: Uint8Array;
  /** Bytes before packing. */
  readonly openSize: number;
}

/** Where packed blocks are kept beyond the life of a process. */
export interface BlockStore {
  get(key: string): PackedBlock | undefined;
  put(key: string, block: PackedBlock): void;
}

export interface BlockCacheOptions {
  /** Most bytes of packed blocks kept in memory; 128 MiB by default. */
  readonly memory?: number;
  /** Most saved hash states; 16,384 by default, each about one KiB. */
  readonly states?: number;
  /** A store on disk behind the memory. */
  readonly store?: BlockStore;
}

const DEFAULT_MEMORY = 128 * 1024 * 1024;
const DEFAULT_STATES = 16_384;

/**
 * Keeps what was once packed and hashed, least recently used dropped first, so that a repository that differs
 * in one build from one written before costs one block and not all of them. One cache serves any number of
 * repositories: everything is kept by content.
 */
export class BlockCache {
  readonly #store: BlockStore | undefined;
  /** Null where none is kept in memory. */
  readonly #blocks: LRUCache<string, PackedBlock> | null;
  readonly #states: LRUCache<string, { readonly hash: Hash; readonly size: number }>;

  constructor(options: BlockCacheOptions = {}) {
    const { memory = DEFAULT_MEMORY, states = DEFAULT_STATES, store } = options;
    this.#blocks =
      memory === 0
        ? null
        : new LRUCache({ maxSize: memory, sizeCalculation: ({ bytes }) => Math.max(1, bytes.byteLength) });
    this.#states = keepLastUsed(states);
    this.#store = store;
  }

  /** Returns how much is in memory. */
  measure(): readonly { readonly name: string; readonly entries: number; readonly bytes: number | null }[] {
    const { size = 0, calculatedSize = 0 } = this.#blocks ?? {};
    return [
      { name: 'repodata blocks', entries: size, bytes: calculatedSize },
      { name: 'repodata checksums', entries: this.#states.size, bytes: null },
    ];
  }

  /** The packed block of a key, from memory or from the store. */
  get(key: string): PackedBlock | undefined {
    const held = this.#blocks?.get(key);
    if (held) return held;
    const stored = this.#store?.get(key);
    if (stored) this.#blocks?.set(key, stored);
    return stored;
  }

  put(key: string, block: PackedBlock): void {
    this.#store?.put(key, block);
    this.#blocks?.set(key, block);
  }

  /** The state of the open-checksum after a run of blocks, and the bytes it has seen. */
  state(key: string): { readonly hash: Hash; readonly size: number } | undefined {
    return this.#states.get(key);
  }

  /** Keeps a copy of the hash as it is now. */
  saveState(key: string, hash: Hash, size: number): void {
    this.#states.set(key, { hash: hash.copy(), size });
  }
}

import type { Hash } from 'node:crypto';

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
  readonly #memory: number;
  readonly #mostStates: number;
  readonly #store: BlockStore | undefined;
  readonly #blocks = new Map<string, PackedBlock>();
  readonly #states = new Map<string, { readonly hash: Hash; readonly size: number }>();
  #bytes = 0;

  constructor(options: BlockCacheOptions = {}) {
    this.#memory = options.memory ?? DEFAULT_MEMORY;
    this.#mostStates = options.states ?? DEFAULT_STATES;
    this.#store = options.store;
  }

  /** The packed block of a key, from memory or from the store. */
  get(key: string): PackedBlock | undefined {
    const held = this.#blocks.get(key);
    if (held) {
      this.#blocks.delete(key);
      this.#blocks.set(key, held);
      return held;
    }
    const stored = this.#store?.get(key);
    if (stored) this.#hold(key, stored);
    return stored;
  }

  put(key: string, block: PackedBlock): void {
    this.#store?.put(key, block);
    this.#hold(key, block);
  }

  /** The state of the open-checksum after a run of blocks, and the bytes it has seen. */
  state(key: string): { readonly hash: Hash; readonly size: number } | undefined {
    const state = this.#states.get(key);
    if (state) {
      this.#states.delete(key);
      this.#states.set(key, state);
    }
    return state;
  }

  /** Keeps a copy of the hash as it is now. */
  saveState(key: string, hash: Hash, size: number): void {
    this.#states.delete(key);
    this.#states.set(key, { hash: hash.copy(), size });
    if (this.#states.size > this.#mostStates) {
      for (const oldest of this.#states.keys()) {
        this.#states.delete(oldest);
        break;
      }
    }
  }

  #hold(key: string, block: PackedBlock): void {
    const before = this.#blocks.get(key);
    if (before) this.#bytes -= before.bytes.byteLength;
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    this.#bytes += block.bytes.byteLength;
    for (const [oldest, dropped] of this.#blocks) {
      if (this.#bytes <= this.#memory) break;
      this.#blocks.delete(oldest);
      this.#bytes -= dropped.bytes.byteLength;
    }
  }
}

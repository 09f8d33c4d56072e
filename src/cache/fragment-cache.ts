import type { PackageFragments } from '../rpm/package-fragments.ts';
import type { Scratch } from '../rpm/scratch.ts';
import { PackStore, type PackStoreOptions } from './pack-store.ts';
import { cachePlace, removeOldFormats, type CacheMaking } from './cache-place.ts';

/** What the cache knows of a package. Nothing is read before it is asked for. */
export interface CachedPackage {
  /** Reads from disk at every access to a piece; `load()` reads all three at once. */
  readonly fragments: PackageFragments;
  /** What gather asks of it, as `encodeRecord` writes it; read at every access. */
  readonly record: Uint8Array;
  /** The paths of all its files, read at every access. */
  readonly files: readonly string[];
}

/** Repodata and records of packages by their content. */
export interface FragmentCache {
  readonly size: number;
  /** Bytes on disk. */
  readonly bytes: number;
  /** How many packages have gone since it was opened: one that was got before the last loss may be gone. */
  readonly losses: number;
  has(key: string): boolean;
  get(key: string): CachedPackage | undefined;
  /** The record is as `encodeRecord` writes it. */
  put(key: string, fragments: PackageFragments, record: Uint8Array): void;
  /** Hands what was put to the operating system, so that a kill cannot lose it. */
  flush(): void;
  /** Drops the oldest until it is within its limits, and what other versions of this program made; returns the bytes freed. */
  prune(now: Date): number;
  close(): void;
}

/** Where the fragments lie. */
export const FRAGMENTS_MAKING: CacheMaking = { name: 'packages', format: 3, isOfRecipe: true };
/** Bytes of fragments on disk; a package takes some kilobytes. */
export const FRAGMENTS_LIMIT = 16 * 1024 * 1024 * 1024;

const RECORD = 0;
const PRIMARY = 1;
const FILELISTS = 2;
const OTHER = 3;
const END = 4;

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeEntity(whole: string, name: string): string {
  const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  if (!name.startsWith('#')) return entities[name] ?? whole;
  return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}

/** The paths of a package's piece of filelists. */
function pathsOfFilelists(piece: Uint8Array): string[] {
  const xml = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('utf8');
  return [...xml.matchAll(/<file(?: type="\w+")?>([^<]*)<\/file>/g)].map(([, text = '']) =>
    text.includes('&') ? text.replaceAll(/&(#?\w+);/g, unescapeEntity) : text,
  );
}

/**
 * Opens the cache in a directory, made where it is missing. The key is a digest of the content: the SHA-256 of the file, or
 * payload digest and sigkey; it must have no spaces. Any number of processes may have it open. Accesses to an entry throw
 * `cache.entry_broken` where the disk has damaged it; it is gone then.
 */
export async function openFragmentCache(
  directory: string,
  options: PackStoreOptions,
): Promise<FragmentCache> {
  const store = await PackStore.open(cachePlace(directory, FRAGMENTS_MAKING), options);
  if (options.now !== undefined) removeOldFormats(directory, FRAGMENTS_MAKING, options.now);
  return {
    get size() {
      return store.size;
    },
    get bytes() {
      return store.bytes;
    },
    get losses() {
      return store.losses;
    },
    has: (key) => store.has(key),
    get: (key) => {
      const entry = store.entry(key);
      return entry && new StoredPackage(store, key, entry.meta);
    },
    put: (key, fragments, record) => {
      const { pkgid, locationOffset, identity, primary, filelists, other } = fragments;
      const meta = `${pkgid}/${locationOffset}/${encodeURIComponent(identity)}`;
      store.put(key, meta, [record, primary, filelists, other]);
    },
    flush: () => store.flush(),
    prune: (now) => {
      removeOldFormats(directory, FRAGMENTS_MAKING, now);
      return store.prune();
    },
    close: () => store.close(),
  };
}

/** Where the pieces of one package lie in the store. */
class StoredPackage implements PackageFragments, CachedPackage {
  readonly pkgid: string;
  readonly locationOffset: number;
  readonly identity: string;
  readonly #store: PackStore;
  readonly #key: string;

  constructor(store: PackStore, key: string, meta: string) {
    this.#store = store;
    this.#key = key;
    const [pkgid = '', offset = '', identity = ''] = meta.split('/');
    this.pkgid = pkgid;
    this.locationOffset = Number(offset);
    this.identity = decodeURIComponent(identity);
  }

  get fragments(): PackageFragments {
    return this;
  }

  get primary(): Uint8Array {
    return this.#piece(PRIMARY);
  }

  get filelists(): Uint8Array {
    return this.#piece(FILELISTS);
  }

  get other(): Uint8Array {
    return this.#piece(OTHER);
  }

  get record(): Uint8Array {
    return this.#piece(RECORD);
  }

  get files(): readonly string[] {
    return pathsOfFilelists(this.filelists);
  }

  load(scratch: Scratch): PackageFragments {
    const nothing = new Uint8Array();
    const [primary = nothing, filelists = nothing, other = nothing] = this.#store.read(
      this.#key,
      PRIMARY,
      END,
      scratch,
    );
    const { pkgid, locationOffset, identity } = this;
    return { pkgid, locationOffset, identity, primary, filelists, other };
  }

  #piece(part: number): Uint8Array {
    return this.#store.read(this.#key, part, part + 1)[0] ?? new Uint8Array();
  }
}

import { createHash, hash, type Hash } from 'node:crypto';
import { closeSync, fsync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BlockCache, PackedBlock } from './block-cache.ts';
import { type Compression, compress, suffixOf, unpackNow } from './compression.ts';
import { Scratch } from '../scratch.ts';
import { copyPieces } from './join-pieces.ts';
import { freeMemory } from './free-memory.ts';
import type { RepodataChecksum } from './repodata-checksum.ts';
import type { StagedFile } from './publish-repomd.ts';

const MOST_IN_FLIGHT = 4;

const sync = promisify(fsync);
const scratch = new Scratch();

/** The parts as one, good only until the caller waits: one call of the hash for all costs less than one for each. */
function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first && parts.length === 1) return first;
  scratch.reset();
  const whole = scratch.take(sizeOf(parts));
  copyPieces(parts, whole);
  return whole;
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

/** The parts as one in memory of its own. */
function copyJoined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = Buffer.allocUnsafeSlow(sizeOf(parts));
  copyPieces(parts, whole);
  return whole;
}

/** Packs a block and frees it. */
async function packAndFree(whole: Uint8Array<ArrayBuffer>, compression: Compression): Promise<Uint8Array> {
  try {
    const packed = await compress(whole, compression);
    // What is kept shall not hold the room that it was packed into.
    return Uint8Array.from(packed);
  } finally {
    freeMemory(whole);
  }
}

interface Pending {
  readonly packed: Promise<Uint8Array>;
  readonly key: string;
  readonly openSize: number;
}

/** What a block holds before it is packed. */
export interface BlockContent {
  /** Returns its parts; they are not used after the caller has begun to wait. */
  readonly parts: () => readonly Uint8Array[];
  /** Whether they lie in memory: else a packed block is unpacked sooner than they are read. */
  readonly areAtHand: boolean;
}

/**
 * One metadata file while it is written: blocks come in order, each is packed as a frame of its own or taken
 * from the cache, and both checksums go along.
 */
export class MetadataFile {
  readonly #cache: BlockCache;
  readonly #compression: Compression;
  readonly #temporary: string;
  readonly #descriptor: number;
  readonly #checksumType: RepodataChecksum;
  readonly #checksum: Hash;
  readonly #pending: Pending[] = [];
  #openHash: Hash;
  #openSize = 0;
  #size = 0;
  #chain: string;
  #isClosed = false;

  constructor(
    cache: BlockCache,
    { compression, checksum }: { readonly compression: Compression; readonly checksum: RepodataChecksum },
    directory: string,
    temporaryName: string,
  ) {
    this.#cache = cache;
    this.#compression = compression;
    this.#checksumType = checksum;
    this.#checksum = createHash(checksum);
    this.#openHash = createHash(checksum);
    // Hash states are kept by this word: those of one kind are nothing to another.
    this.#chain = checksum === 'sha256' ? '' : checksum;
    this.#temporary = join(directory, temporaryName);
    this.#descriptor = openSync(this.#temporary, 'wx', 0o644);
  }

  /**
   * Appends the block called `key`. Its parts are asked for only where the block was never packed, or where they are at
   * hand and the checksum of what lies before it and it is not known. Equal keys must stand for equal content.
   */
  async append(key: string, { parts, areAtHand }: BlockContent): Promise<void> {
    const blockKey = `${this.#compression}:${key}`;
    this.#chain = hash('sha256', `${this.#chain}${key}`, 'base64');
    const packed = this.#cache.get(blockKey);
    const state = this.#cache.state(this.#chain);
    if (state) {
      this.#openHash = state.hash;
      this.#openSize = state.size;
    }
    if (packed) {
      if (!state && areAtHand) this.#hashOpen(joinParts(parts()));
      else if (!state) {
        const open = unpackNow(packed, this.#compression);
        this.#hashOpen(open);
        freeMemory(open);
      }
      await this.#queue({ packed: Promise.resolve(packed.bytes), key: '', openSize: packed.openSize });
      return;
    }
    // What is packed in another thread must last until then.
    const whole = copyJoined(parts());
    if (!state) this.#hashOpen(whole);
    const openSize = whole.byteLength;
    await this.#queue({ packed: packAndFree(whole, this.#compression), key: blockKey, openSize });
  }

  #hashOpen(whole: Uint8Array): void {
    // The one so far may be a state that is kept.
    this.#openHash = this.#openHash.copy();
    this.#openHash.update(whole);
    this.#openSize += whole.byteLength;
    this.#cache.saveState(this.#chain, this.#openHash, this.#openSize);
  }

  /**
   * Writes what is left and makes the file durable, still under its temporary name.
   * `name` is without the ending of the compression.
   */
  async finish(type: string, name: string, timestamp: number): Promise<StagedFile> {
    await this.#drain(0);
    await sync(this.#descriptor);
    closeSync(this.#descriptor);
    this.#isClosed = true;
    const checksum = this.#checksum.digest('hex');
    return {
      temporary: this.#temporary,
      record: {
        type,
        href: `repodata/${checksum}-${name}${suffixOf(this.#compression)}`,
        checksumType: this.#checksumType,
        checksum,
        size: this.#size,
        open: { checksum: this.#openHash.copy().digest('hex'), size: this.#openSize },
        timestamp,
      },
    };
  }

  /** Removes the file where it still has its temporary name. */
  async discard(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      await Promise.allSettled(this.#pending.map((pending) => pending.packed));
      closeSync(this.#descriptor);
    }
    rmSync(this.#temporary, { force: true });
  }

  async #queue(pending: Pending): Promise<void> {
    pending.packed.catch(() => undefined);
    this.#pending.push(pending);
    await this.#drain(MOST_IN_FLIGHT);
  }

  async #drain(most: number): Promise<void> {
    while (this.#pending.length > most) {
      const next = this.#pending[0];
      if (!next) return;
      const bytes = await next.packed;
      this.#pending.shift();
      this.#write(bytes);
      if (next.key !== '') {
        const block: PackedBlock = { bytes, openSize: next.openSize };
        this.#cache.put(next.key, block);
      }
    }
  }

  #write(bytes: Uint8Array): void {
    this.#checksum.update(bytes);
    this.#size += bytes.byteLength;
    for (let done = 0; done < bytes.byteLength;) {
      done += writeSync(this.#descriptor, bytes, done);
    }
  }
}

import { createHash } from 'node:crypto';
import { fstatSync, readSync, type BigIntStats } from 'node:fs';
import { keepLastUsed } from '../last-used.ts';
import { pkgidOfContent, type ContentId } from '../model/content-id.ts';
import { algorithmOfDigest } from '../rpm/digest-algorithm.ts';

/** The digest a repository promises of a file. */
export interface PromisedDigest {
  /** As Node calls it: `sha256`, `sha512`, `md5`. */
  readonly algorithm: string;
  /** Hex, lower case. */
  readonly value: string;
}

/** Returns the digest that identifies the content of a package, or null where it is none that can be computed. */
export function promisedDigest(payload: ContentId): PromisedDigest | null {
  const value = pkgidOfContent(payload).toLowerCase();
  const algorithm = algorithmOfDigest(value);
  return algorithm === undefined ? null : { algorithm, value };
}

const CHUNK = 1024 * 1024;
const MOST_KEPT = 200_000;

/**
 * Digests of files, each computed once for a content: what has the same device, inode, size and time of modification
 * is not read again. Its calls are synchronous, for a thread of its own.
 */
class FileDigests {
  readonly #known = keepLastUsed<string>(MOST_KEPT);
  #chunk: Buffer | undefined;

  /** How many are kept. */
  get size(): number {
    return this.#known.size;
  }

  /** Returns the digest of an open file, hex; null where `isCancelled` became true meanwhile. */
  digestOf(descriptor: number, algorithm: string, isCancelled: () => boolean): string | null {
    const key = keyOf(fstatSync(descriptor, { bigint: true }), algorithm);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const digest = this.#read(descriptor, algorithm, isCancelled);
    if (digest !== null && keyOf(fstatSync(descriptor, { bigint: true }), algorithm) === key) {
      this.#known.set(key, digest);
    }
    return digest;
  }

  #read(descriptor: number, algorithm: string, isCancelled: () => boolean): string | null {
    const hash = createHash(algorithm);
    const chunk = (this.#chunk ??= Buffer.allocUnsafeSlow(CHUNK));
    for (let position = 0; ;) {
      if (isCancelled()) return null;
      const count = readSync(descriptor, chunk, 0, CHUNK, position);
      if (count === 0) return hash.digest('hex');
      position += count;
      hash.update(chunk.subarray(0, count));
    }
  }
}

function keyOf({ dev, ino, size, mtimeNs }: BigIntStats, algorithm: string): string {
  return `${algorithm} ${dev} ${ino} ${size} ${mtimeNs}`;
}

/** The digests that this thread knows. */
export const fileDigests = new FileDigests();

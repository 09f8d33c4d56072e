import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { inTurns, type Turns } from '../in-turns.ts';
import { ReactorError } from '../model/errors.ts';
import { SharedWork } from '../shared-work.ts';
import type { Cache, CacheSize } from './cache-registry.ts';

const HOUR = 60 * 60 * 1000;
/** What no compose links to outlives its last use by a day, for the next compose of the same. */
const KEPT_FOR = 24 * HOUR;
/** What is within the limit and what is not is looked up when this part of it was added. */
const PARTS_OF_LIMIT = 8;
const DEFAULT_LIMIT = 200 * 1024 ** 3;

/** A file that no compose links to, with the time of its last use. */
interface IdleFile {
  readonly path: string;
  readonly lastUse: number;
  readonly size: number;
}

/** A file in the store. */
export interface StoredPackage {
  /** SHA-256 of the content, hex. */
  readonly digest: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Downloaded RPMs by the digest of their content, shared by all composes on one file system: composes hold hard
 * links to them. A file is in the store only when it is whole and its digest was checked. What no compose links to is
 * held to a limit whenever something is added, the least recently used of it going first.
 */
export class PackageStore implements Cache {
  readonly directory: string;
  /** Downloads that are under way, by the file they go into. */
  readonly downloads = new SharedWork<StoredPackage>();
  readonly #incoming: string;
  readonly #limit: number;
  /** What it held when it was looked at last, and what was added since; null before the first look. */
  #held: { entries: number; bytes: number } | null = null;
  /** Bytes added since it was looked at last. */
  #added = 0;

  /** `limit` is the most bytes of files that no compose links to; 200 GiB by default. */
  constructor(directory: string, limit = DEFAULT_LIMIT) {
    this.directory = directory;
    this.#limit = limit;
    this.#incoming = join(directory, 'incoming');
    mkdirSync(this.#incoming, { recursive: true });
  }

  /** Where a content of this digest lies, or would. Throws a plain `Error` for what is no SHA-256. */
  pathOf(digest: string): string {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new Error(`"${digest}" is no SHA-256`);
    return join(this.directory, digest.slice(0, 2), `${digest}.rpm`);
  }

  /** The file of a digest where the store has it. Its age for pruning starts anew. */
  find(digest: string, now: Date): StoredPackage | null {
    const path = this.pathOf(digest);
    const entry = statSync(path, { throwIfNoEntry: false });
    if (entry === undefined) return null;
    utimesSync(path, now, entry.mtime);
    return { digest, path, size: entry.size };
  }

  /**
   * A file to download into, which survives an interruption: the same `name` gives the same file, so that
   * the download can be resumed.
   */
  incomingPath(name: string): string {
    return join(this.#incoming, createHash('sha256').update(name).digest('hex'));
  }

  /**
   * Takes a finished download in: reads it whole, checks size and digest where they are known, makes it durable
   * and gives it its name by one rename. What is then beyond the limit goes. Throws `store.size_differs`,
   * `store.digest_differs`; the file is then gone.
   */
  async add(
    incoming: string,
    expected: { readonly digest: string | null; readonly size: number | null; readonly where: string },
    now: Date,
  ): Promise<StoredPackage> {
    const size = statSync(incoming).size;
    if (expected.size !== null && size !== expected.size) {
      rmSync(incoming, { force: true });
      throw new ReactorError(
        'store.size_differs',
        `A downloaded package has ${size} bytes instead of ${expected.size}.`,
        { where: expected.where, fate: 'retry' },
      );
    }
    const digest = await digestOf(incoming);
    if (expected.digest !== null && digest !== expected.digest) {
      rmSync(incoming, { force: true });
      throw new ReactorError(
        'store.digest_differs',
        'A downloaded package has another content than its digest says.',
        { where: expected.where, fate: 'retry', hint: `Expected ${expected.digest}, got ${digest}.` },
      );
    }
    const path = this.pathOf(digest);
    makeDirectory(dirname(path));
    syncFile(incoming);
    renameSync(incoming, path);
    this.#added += size;
    if (this.#held !== null) {
      this.#held.entries += 1;
      this.#held.bytes += size;
    }
    if (this.#added > this.#limit / PARTS_OF_LIMIT) await this.prune(now);
    return { digest, path, size };
  }

  /** Reads a stored file again and returns whether it still is what its name says. */
  async verify(digest: string): Promise<boolean> {
    const path = this.pathOf(digest);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return false;
    return (await digestOf(path)) === digest;
  }

  /** Puts a stored file into a compose as a hard link. Throws what `link` throws. */
  link(digest: string, target: string): void {
    linkSync(this.pathOf(digest), target);
  }

  /** Returns what it held when it was looked at last, with what was added since. */
  measure(): readonly CacheSize[] {
    return this.#held === null ? [] : [{ name: 'downloaded packages', ...this.#held }];
  }

  /**
   * Removes what no compose links to and nobody asked for within a day, downloads left alone as long, and beyond the limit
   * what was used longest ago; never what was used within the hour, for a compose may be about to link to it. Returns the
   * bytes freed.
   */
  async prune(now: Date): Promise<number> {
    this.#added = 0;
    const files: { readonly path: string; readonly isIncoming: boolean }[] = [];
    for (const folder of await readdir(this.directory)) {
      const isIncoming = folder === 'incoming';
      for (const name of await readdir(join(this.directory, folder)))
        files.push({ path: join(this.directory, folder, name), isIncoming });
    }
    return inTurns(this.#sweep(files, now));
  }

  *#sweep(
    files: readonly { readonly path: string; readonly isIncoming: boolean }[],
    now: Date,
  ): Turns<number> {
    const held = { entries: 0, bytes: 0 };
    const idle: IdleFile[] = [];
    for (const { path, isIncoming } of files) {
      yield;
      const entry = statSync(path, { throwIfNoEntry: false });
      if (entry === undefined) continue;
      const { size, nlink } = entry;
      const lastUse = isIncoming ? entry.mtimeMs : entry.atimeMs;
      if (!isIncoming) {
        held.entries += 1;
        held.bytes += size;
      }
      if (nlink === 1) idle.push({ path, lastUse, size });
    }
    this.#held = held;
    idle.sort((left, right) => left.lastUse - right.lastUse);
    let left = idle.reduce((sum, { size }) => sum + size, 0);
    let freed = 0;
    for (const { path, size, lastUse } of idle) {
      const age = now.getTime() - lastUse;
      if (age <= KEPT_FOR && (left <= this.#limit || age <= HOUR)) break;
      yield;
      // Looking and removing are one step, so that nobody finds the file between the two.
      const entry = statSync(path, { throwIfNoEntry: false });
      if (entry !== undefined) {
        if (entry.nlink > 1 || Math.max(entry.atimeMs, entry.mtimeMs) > lastUse) continue;
        rmSync(path, { force: true });
        freed += size;
      }
      // Somebody else may have removed it since it was counted.
      left -= size;
      if (dirname(path) !== this.#incoming) {
        held.entries -= 1;
        held.bytes -= size;
      }
    }
    return freed;
  }
}

/** Makes one directory, and none above it: a store whose file system is gone must not be made anew. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), digest);
  return digest.digest('hex');
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

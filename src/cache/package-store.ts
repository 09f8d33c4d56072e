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
import { setImmediate } from 'node:timers/promises';
import { ReactorError } from '../model/errors.ts';
import { SharedWork } from '../shared-work.ts';

/** Files that are looked at in one turn of the event loop. */
const PRUNED_AT_ONCE = 64;

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
 * links to them. A file is in the store only when it is whole and its digest was checked.
 */
export class PackageStore {
  readonly directory: string;
  /** Downloads that are under way, by the file they go into. */
  readonly downloads = new SharedWork<StoredPackage>();
  readonly #incoming: string;

  constructor(directory: string) {
    this.directory = directory;
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
   * and gives it its name by one rename. Throws `store.size_differs`, `store.digest_differs`; the file is then
   * gone.
   */
  async add(
    incoming: string,
    expected: { readonly digest: string | null; readonly size: number | null; readonly where: string },
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

  /**
   * Removes what no compose links to and nobody asked for since `unusedSince`, and downloads left alone as long.
   * Returns the bytes freed.
   */
  async prune(unusedSince: Date): Promise<number> {
    let freed = 0;
    for (const folder of await readdir(this.directory)) {
      const isIncoming = folder === 'incoming';
      for (const [index, name] of (await readdir(join(this.directory, folder))).entries()) {
        if (index % PRUNED_AT_ONCE === 0) await setImmediate();
        // Looking and removing are one step, so that nobody finds the file between the two.
        const path = join(this.directory, folder, name);
        const entry = statSync(path, { throwIfNoEntry: false });
        if (entry === undefined) continue;
        const lastUse = isIncoming ? entry.mtimeMs : entry.atimeMs;
        if (entry.nlink > 1 || lastUse >= unusedSince.getTime()) continue;
        rmSync(path, { force: true });
        freed += entry.size;
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

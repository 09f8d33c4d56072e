import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;

/** An open file, and how it looked when it was opened. */
export interface OpenedFile {
  readonly descriptor: number;
  readonly stats: Stats;
}

/** What somebody put in the place of a file cannot be read as one. */
export class NotRegularFile extends Error {
  override readonly name = 'NotRegularFile';
  readonly code = 'EINVAL';

  constructor(path: string) {
    super(`${path} is no regular file`);
  }
}

/**
 * Opens a file for reading with synchronous calls. A pipe, socket, device or directory of that name is refused at once
 * and never waited for. Links are followed. Throws `NotRegularFile` and what `open` throws.
 */
export function openRegularFile(path: string | Buffer): OpenedFile {
  const descriptor = openSync(path, O_RDONLY | O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new NotRegularFile(path.toString());
    return { descriptor, stats };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * Reads a regular file whole, or null where it has more than `limit` bytes. `path` has been resolved: a link that
 * was put in its place since is not followed. Throws `NotRegularFile` and what `open` throws.
 */
export async function readRegularFile(path: string, limit: number): Promise<Buffer | null> {
  const file = await open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new NotRegularFile(path);
    if (stats.size > limit) return null;
    const bytes = Buffer.allocUnsafeSlow(stats.size);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  } finally {
    await file.close();
  }
}

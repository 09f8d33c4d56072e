import { closeSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inTurns, type Turns } from '../../in-turns.ts';
import { ReactorError, messageOf } from '../../model/errors.ts';
import { openRegularFile, type OpenedFile } from '../../rpm/regular-file.ts';

/** One file below Koji's top directory. */
export interface KojiFile {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds, whole; 0 where the server does not say. */
  readonly modified: number;
}

/**
 * The files of a Koji, from a mounted top directory or from its HTTP server. Paths are relative to the top
 * directory.
 */
export interface KojiFiles {
  /** The directory or URL, for people. */
  readonly where: string;
  /** What lies at each path; null where nothing does. Throws `koji.files_unreachable`. */
  look(paths: readonly string[], signal?: AbortSignal): Promise<readonly (KojiFile | null)[]>;
  /** The path on this machine, or null where there is none. */
  localPath(path: string): string | null;
  /** `length` bytes from `offset`, fewer where the file ends. Throws `koji.file_missing`. */
  read(path: string, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/**
 * Files of a mounted top directory. Volumes and symbolic links are followed. Throws `koji.topdir_missing` where
 * there is no such directory.
 */
export function openTopDir(topDir: string): KojiFiles {
  if (statSync(topDir, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new ReactorError('koji.topdir_missing', 'The top directory of Koji is not mounted here.', {
      where: topDir,
      hint: 'Mount it, or take topdir out of the Koji profile so that topurl is used.',
      fate: 'halt',
    });
  }
  return {
    where: topDir,
    localPath: (path) => `${topDir}/${path}`,
    look: (paths) => inTurns(lookAt(topDir, paths)),
    read: async (path, offset, length) => readPart(topDir, path, offset, length),
  };
}

/** Looks at files with synchronous calls, which cost a tenth of others; on a slow mount each takes a millisecond. */
function* lookAt(topDir: string, paths: readonly string[]): Turns<(KojiFile | null)[]> {
  const found: (KojiFile | null)[] = [];
  for (const path of paths) {
    const entry = statSync(`${topDir}/${path}`, { throwIfNoEntry: false });
    const isFile = entry !== undefined && entry.isFile();
    found.push(isFile ? { size: entry.size, modified: Math.floor(entry.mtimeMs) } : null);
    yield;
  }
  return found;
}

function readPart(topDir: string, path: string, offset: number, length: number): Uint8Array {
  const full = join(topDir, path);
  let opened: OpenedFile;
  try {
    opened = openRegularFile(full);
  } catch (error) {
    throw fileMissing(full, { cause: error });
  }
  const { descriptor, stats } = opened;
  try {
    const size = Math.max(0, Math.min(length, stats.size - offset));
    const bytes = Buffer.allocUnsafeSlow(size);
    let done = 0;
    while (done < size) {
      const count = readSync(descriptor, bytes, done, size - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  } finally {
    closeSync(descriptor);
  }
}

/** The error for a file that the hub lists and the top directory lacks; `rpm` says of which RPM. */
export function fileMissing(
  where: string,
  { cause, rpm }: { readonly cause?: unknown; readonly rpm?: string },
): ReactorError {
  const what = rpm === undefined ? 'A file' : `The file of ${rpm}`;
  return new ReactorError('koji.file_missing', `${what} that the Koji hub lists is not there.`, {
    where,
    hint:
      cause === undefined
        ? 'It was removed since, or the top directory belongs to another hub.'
        : `${messageOf(cause)}. It was removed since, or the top directory belongs to another hub.`,
    cause,
  });
}

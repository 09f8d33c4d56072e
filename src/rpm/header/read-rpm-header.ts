import { createHash, hash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { ReactorError, messageOf } from '../../model/errors.ts';
import { type RpmHeader, bytesNeeded, parseRpmHeader } from './rpm-header.ts';
import { openRegularFile, type OpenedFile } from '../regular-file.ts';
import { rpmProblem } from './rpm-problem.ts';

const FIRST_READ = 32 * 1024;
const HASH_READ = 1024 * 1024;

/** Bytes from somewhere: a file, or an HTTP server that answers ranges. */
export interface RpmSource {
  /** The path or URL, for errors. */
  readonly where: string;
  /** Returns `length` bytes from `offset`, fewer only where the file ends. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Reads the headers of an RPM, mostly in one read of 32 KiB; where they are longer, in one or two more of
 * what is missing. Throws `rpm.*` with file and offset, and what the source throws.
 */
export async function readRpmHeader(source: RpmSource): Promise<RpmHeader> {
  const { where } = source;
  let bytes = Buffer.from(await source.read(0, FIRST_READ));
  for (;;) {
    const needed = bytesNeeded(bytes, where);
    if (needed <= bytes.byteLength) return parseRpmHeader(bytes, where);
    const more = await source.read(bytes.byteLength, needed - bytes.byteLength);
    if (more.byteLength === 0) {
      throw rpmProblem('rpm.truncated', where, bytes.byteLength, 'The file ends before its headers do');
    }
    bytes = Buffer.concat([bytes, more]);
  }
}

/** An RPM on disk: its headers and what repodata says of the file itself. */
export interface RpmFile {
  readonly header: RpmHeader;
  /** SHA-256 of the whole file, hex. */
  readonly pkgid: string;
  /** Bytes. */
  readonly size: number;
  /** Modification time in Unix seconds. */
  readonly fileTime: number;
  /** The same in whole milliseconds, and the inode: how the file looked before it was read. */
  readonly modified: number;
  readonly inode: number;
}

export interface RpmFileOptions {
  /** The SHA-256 of the file where it is known: then only the headers are read. */
  readonly pkgid?: string;
  /** Memory to read into; the answered header is only good until it is used again. */
  readonly scratch?: Buffer;
}

function readFully(descriptor: number, into: Buffer, begin: number, end: number): number {
  let done = begin;
  while (done < end) {
    const count = readSync(descriptor, into, done, end - done, done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Reads the begin of a file until the headers are whole; `first` bytes at first. */
function readHeaderBytes(
  descriptor: number,
  path: string,
  size: number,
  first: number,
  scratch?: Buffer,
): Buffer {
  let wanted = Math.min(size, first);
  let bytes = scratch && scratch.byteLength >= wanted ? scratch : Buffer.allocUnsafeSlow(wanted);
  let held = readFully(descriptor, bytes, 0, wanted);
  for (;;) {
    const needed = bytesNeeded(bytes.subarray(0, held), path);
    if (needed <= held) return bytes.subarray(0, held);
    if (needed > size || held < wanted) {
      throw rpmProblem('rpm.truncated', path, held, `The file ends before its headers do, at ${needed}`);
    }
    wanted = needed;
    if (bytes.byteLength < wanted) {
      const larger = Buffer.allocUnsafeSlow(wanted);
      bytes.copy(larger, 0, 0, held);
      bytes = larger;
    }
    held = readFully(descriptor, bytes, held, wanted);
  }
}

function digestOf(descriptor: number, begin: Buffer, size: number): string {
  if (begin.byteLength === size) return hash('sha256', begin, 'hex');
  const digest = createHash('sha256').update(begin);
  const chunk = Buffer.allocUnsafeSlow(HASH_READ);
  for (let at = begin.byteLength; ;) {
    const count = readSync(descriptor, chunk, 0, HASH_READ, at);
    if (count === 0) return digest.digest('hex');
    digest.update(chunk.subarray(0, count));
    at += count;
  }
}

/**
 * Reads an RPM on disk, with synchronous calls (meant for worker threads). Where `pkgid` is not given, the file
 * is read once from begin to end and hashed on the way. A path that is no UTF-8 is given by its bytes. Throws `rpm.unreadable` and the other `rpm.*`.
 */
export function readRpmFile(at: string | Uint8Array, options: RpmFileOptions = {}): RpmFile {
  const path = typeof at === 'string' ? at : Buffer.from(at).toString('latin1');
  const { descriptor, stats } = openRpm(typeof at === 'string' ? at : Buffer.from(at), path);
  try {
    const { size, mtimeMs, ino: inode } = stats;
    const first = options.pkgid === undefined ? HASH_READ : FIRST_READ;
    const bytes = readHeaderBytes(descriptor, path, size, first, options.scratch);
    const pkgid = options.pkgid ?? digestOf(descriptor, bytes, size);
    const [fileTime, modified] = [Math.floor(mtimeMs / 1000), Math.floor(mtimeMs)];
    return { header: parseRpmHeader(bytes, path), pkgid, size, fileTime, modified, inode };
  } finally {
    closeSync(descriptor);
  }
}

function openRpm(at: string | Buffer, path: string): OpenedFile {
  try {
    return openRegularFile(at);
  } catch (cause) {
    throw new ReactorError('rpm.unreadable', `The package cannot be opened: ${messageOf(cause)}.`, {
      where: path,
      cause,
    });
  }
}

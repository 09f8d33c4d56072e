import { createHash } from 'node:crypto';
import { constants, copyFileSync, createReadStream, linkSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { ReactorError, messageOf } from '../model/errors.ts';
import type { FileStamp, Selection, SourcePackage } from './selection.ts';

/** A package and the file of the compose it becomes, relative to the directory that is filled. */
export interface Placement {
  readonly package: SourcePackage;
  readonly path: string;
}

export interface PlaceContext {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
  /** A path on this machine of a package's bytes, fetched and verified where it is remote. */
  readonly localPathOf: (one: SourcePackage, signal: AbortSignal) => Promise<string>;
  readonly delivery: 'link' | 'copy';
  /** Where it is given, the source takes in what is told, so that a later attempt may succeed. */
  readonly noteFile?: Selection['noteFile'];
}

/** Calls between two looks at the clock and the signal: a link takes about 12 µs. */
const BATCH = 256;
const fetchesAtOnce = 8;

/**
 * Puts every package into `directory`: a hard link, where that cannot be a reflink or a copy. A file whose stamp
 * differs from the planned one is read again. Throws `compose.package_unreadable`, `compose.package_changed` (size
 * or content differ from what was planned), `compose.disk_full`; what a source can mend is worth a retry.
 */
export async function placePackages(
  context: PlaceContext,
  directory: string,
  placements: readonly Placement[],
): Promise<void> {
  const made = new Set<string>();
  let done = 0;
  for (let start = 0; start < placements.length; start += BATCH) {
    context.signal.throwIfAborted();
    const batch = placements.slice(start, start + BATCH);
    const paths = await fetchAll(context, batch);
    for (const [index, { package: one, path }] of batch.entries()) {
      const from = paths[index];
      if (from === undefined) continue;
      const target = join(directory, path);
      const folder = dirname(target);
      if (!made.has(folder)) mkdirSync(folder, { recursive: true });
      made.add(folder);
      const doubtful = placeOne(context, from, target, one);
      // The very bytes that were placed are read: a link to them, or their copy.
      if (doubtful !== null) await checkContent(context, target, from, one, doubtful);
      done += 1;
    }
    context.progress(done, placements.length);
    await setImmediate();
  }
}

/** Local paths of a batch; remote ones are fetched a few at a time. */
async function fetchAll(context: PlaceContext, batch: readonly Placement[]): Promise<string[]> {
  const paths: string[] = Array.from({ length: batch.length });
  const remote: number[] = [];
  for (const [index, { package: one }] of batch.entries()) {
    if (one.origin.kind === 'file') paths[index] = one.origin.path;
    else remote.push(index);
  }
  const next = remote.values();
  const fetchNext = async (): Promise<void> => {
    for (const index of next) {
      const placement = batch[index];
      if (placement !== undefined) paths[index] = await fetchOne(context, placement.package);
    }
  };
  await Promise.all(Array.from({ length: Math.min(fetchesAtOnce, remote.length) }, fetchNext));
  return paths;
}

const otherFile = new Set(['store.size_differs', 'store.digest_differs', 'koji.file_missing']);

async function fetchOne(context: PlaceContext, one: SourcePackage): Promise<string> {
  try {
    return await context.localPathOf(one, context.signal);
  } catch (error) {
    if (error instanceof ReactorError && otherFile.has(error.code)) context.noteFile?.(one, null);
    throw error;
  }
}

/** Answers how the file looks where that is another way than when it was read, else null. */
function placeOne(context: PlaceContext, from: string, target: string, one: SourcePackage): FileStamp | null {
  try {
    const { size, mtimeMs, ino } = statSync(from);
    if (size !== one.size) {
      throw packageChanged(context, from, one, `${size} bytes where its repository says ${one.size}`);
    }
    if (context.delivery !== 'link' || !tryLink(from, target)) {
      copyFileSync(from, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    }
    const { origin } = one;
    if (origin.kind !== 'file' || origin.stamp === undefined) return null;
    const modified = Math.floor(mtimeMs);
    const isTrusted = origin.stamp?.modified === modified && origin.stamp.inode === ino;
    return isTrusted ? null : { modified, inode: ino };
  } catch (error) {
    throw describePlacing(context, error, one, from);
  }
}

async function checkContent(
  context: PlaceContext,
  target: string,
  from: string,
  one: SourcePackage,
  found: FileStamp,
): Promise<void> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(target, { highWaterMark: 1024 * 1024 }), digest, {
    signal: context.signal,
  });
  if (`sha256:${digest.digest('hex')}` !== one.payload) {
    throw packageChanged(context, from, one, 'another content than when it was read');
  }
  context.noteFile?.(one, found);
}

function packageChanged(
  { noteFile }: PlaceContext,
  where: string,
  one: SourcePackage,
  how: string,
): ReactorError {
  noteFile?.(one, null);
  return new ReactorError('compose.package_changed', `The package ${one.fileName} has ${how}.`, {
    where,
    hint:
      noteFile === undefined
        ? 'It was replaced or is being written; compose again once its repository is whole.'
        : 'It was replaced or is being written; the next attempt reads it again.',
    fate: noteFile === undefined ? 'drop' : 'retry',
  });
}

/** Other file system, too many links, or a file of somebody else: then it is copied. */
const unlinkable = new Set(['EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP']);

function tryLink(from: string, target: string): boolean {
  try {
    linkSync(from, target);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && unlinkable.has(String(error.code))) return false;
    throw error;
  }
}

function describePlacing(
  { noteFile }: PlaceContext,
  error: unknown,
  one: SourcePackage,
  where: string,
): unknown {
  if (error instanceof ReactorError) return error;
  if (isDiskFull(error)) return diskFull(error);
  const isLost = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  if (isLost) noteFile?.(one, null);
  return new ReactorError(
    'compose.package_unreadable',
    `The package ${one.fileName} cannot be put into the compose: ${messageOf(error)}.`,
    { where, cause: error, fate: isLost && noteFile !== undefined ? 'retry' : 'drop' },
  );
}

/** Whether the disk, or the user's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** The error people see then. */
export function diskFull(cause: unknown): ReactorError {
  return new ReactorError(
    'compose.disk_full',
    'The disk of the target directory is full; nothing was published.',
    {
      hint: 'Free space or let composes expire sooner, then ask again.',
      cause,
    },
  );
}

import { constants, copyFileSync, linkSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ReactorError, messageOf } from '../model/errors.ts';
import type { SourcePackage } from './selection.ts';

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
}

/** Calls between two looks at the clock and the signal: a link takes about 12 µs. */
const BATCH = 256;
const fetchesAtOnce = 8;

/**
 * Puts every package into `directory`: a hard link, where that cannot be a reflink or a copy. Throws
 * `compose.package_unreadable`, `compose.package_changed` (size differs from what was planned),
 * `compose.disk_full`.
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
      placeOne(from, target, one, context.delivery);
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
      if (placement !== undefined)
        paths[index] = await context.localPathOf(placement.package, context.signal);
    }
  };
  await Promise.all(Array.from({ length: Math.min(fetchesAtOnce, remote.length) }, fetchNext));
  return paths;
}

function placeOne(from: string, target: string, one: SourcePackage, delivery: 'link' | 'copy'): void {
  try {
    const { size } = statSync(from);
    if (size !== one.size) {
      throw new ReactorError(
        'compose.package_changed',
        `The package ${one.fileName} has ${size} bytes where its repository says ${one.size}.`,
        {
          where: from,
          hint: 'It was replaced or is being written; compose again once its repository is whole.',
        },
      );
    }
    if (delivery === 'link' && tryLink(from, target)) return;
    copyFileSync(from, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  } catch (error) {
    throw describePlacing(error, one, from);
  }
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

function describePlacing(error: unknown, one: SourcePackage, where: string): unknown {
  if (error instanceof ReactorError) return error;
  if (isDiskFull(error)) return diskFull(error);
  return new ReactorError(
    'compose.package_unreadable',
    `The package ${one.fileName} cannot be put into the compose: ${messageOf(error)}.`,
    { where, cause: error },
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

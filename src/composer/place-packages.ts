import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ReactorError, messageOf } from '../model/errors.ts';
import { NO_STAMP, UNKNOWN_STAMP, type PlaceFinding } from './place-files.ts';
import type { PlacingThread } from './placing-thread.ts';
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
  readonly placing: PlacingThread;
  /** Where it is given, the source takes in what is told, so that a later attempt may succeed. */
  readonly noteFile?: Selection['noteFile'];
}

/** Files between two looks at the signal: a link takes about 12 µs. */
const BATCH = 256;
/** The thread must not run out of work while this one is busy with something else. */
const BATCHES_AHEAD = 16;
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
  const folders = new Set(placements.map(({ path }) => dirname(path)));
  for (const folder of folders) mkdirSync(join(directory, folder), { recursive: true });
  const placing: Promise<void>[] = [];
  try {
    for (let start = 0; start < placements.length; start += BATCH) {
      context.signal.throwIfAborted();
      const batch = placements.slice(start, start + BATCH);
      const from = await fetchAll(context, batch);
      if (placing.length >= BATCHES_AHEAD) await placing.shift();
      const done = start + batch.length;
      const tell = (): void => context.progress(done, placements.length);
      const placed = placeBatch({ ...context, progress: tell }, directory, batch, from);
      placed.catch(() => undefined);
      placing.push(placed);
    }
    for (const placed of placing) {
      await placed;
      context.signal.throwIfAborted();
    }
  } finally {
    // Nothing is placed any more once this has ended, however it ends.
    await Promise.allSettled(placing);
  }
}

async function placeBatch(
  context: Omit<PlaceContext, 'progress'> & { readonly progress: () => void },
  directory: string,
  batch: readonly Placement[],
  from: readonly string[],
): Promise<void> {
  const to = batch.map(({ path }) => `${directory}/${path}`);
  const stamps = batch.map(({ package: { origin } }) =>
    origin.kind === 'file' && origin.stamp !== undefined ? origin.stamp : undefined,
  );
  const findings = await context.placing.place({
    from,
    to,
    sizes: Float64Array.from(batch, ({ package: one }) => one.size),
    modified: Float64Array.from(stamps, (stamp) =>
      stamp === undefined ? NO_STAMP : (stamp?.modified ?? UNKNOWN_STAMP),
    ),
    inodes: Float64Array.from(stamps, (stamp) => stamp?.inode ?? 0),
    delivery: context.delivery,
  });
  for (const finding of findings) {
    const one = batch[finding.index]?.package;
    const source = from[finding.index];
    const target = to[finding.index];
    if (one === undefined || source === undefined || target === undefined) continue;
    switch (finding.kind) {
      case 'doubtful':
        // The very bytes that were placed are read: a link to them, or their copy.
        await checkContent(context, target, source, one, finding);
        break;
      case 'size':
        throw packageChanged(
          context,
          source,
          one,
          `${finding.size} bytes where its repository says ${one.size}`,
        );
      case 'failed':
        throw describePlacing(context, errorOf(finding), one, source);
      default:
        finding satisfies never;
    }
  }
  context.progress();
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

async function checkContent(
  context: Pick<PlaceContext, 'signal' | 'noteFile'>,
  target: string,
  from: string,
  one: SourcePackage,
  { modified, inode }: FileStamp,
): Promise<void> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(target, { highWaterMark: 1024 * 1024 }), digest, {
    signal: context.signal,
  });
  if (`sha256:${digest.digest('hex')}` !== one.payload) {
    throw packageChanged(context, from, one, 'another content than when it was read');
  }
  context.noteFile?.(one, { modified, inode });
}

function packageChanged(
  { noteFile }: Pick<PlaceContext, 'noteFile'>,
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
    fate: 'retry',
  });
}

/** An error of another thread, as it was there. */
function errorOf({ code, message }: Extract<PlaceFinding, { kind: 'failed' }>): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

function describePlacing(
  { noteFile }: Pick<PlaceContext, 'noteFile'>,
  error: Error,
  one: SourcePackage,
  where: string,
): ReactorError {
  if (isDiskFull(error)) return diskFull(error);
  const isLost = 'code' in error && error.code === 'ENOENT';
  if (isLost) noteFile?.(one, null);
  return new ReactorError(
    'compose.package_unreadable',
    `The package ${one.fileName} cannot be put into the compose: ${messageOf(error)}.`,
    { where, cause: error, fate: isLost ? 'retry' : 'drop' },
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

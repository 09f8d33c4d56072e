import type { ContentId } from '../../model/content-id.ts';
import { dirname } from 'node:path';
import { rest } from '../../in-turns.ts';
import { ReactorError, messageOf } from '../../model/errors.ts';
import { promisedDigest } from '../file-digests.ts';
import { NO_STAMP, UNKNOWN_STAMP, type PlaceColumns, type PlaceFinding } from './place-files.ts';
import type { Pen } from '../pen.ts';
import type { FilesToPlace, PlacingThread } from './placing-thread.ts';
import type { PackageReader, SourcePackage } from '../selection.ts';

/** A package and the file of the compose it becomes, relative to the directory that is filled. */
export interface Placement {
  readonly package: SourcePackage;
  readonly path: string;
}

export interface PlaceContext {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
  /** A path on this machine of a package's bytes, fetched and verified where it is remote. */
  readonly localPathOf: (rpm: SourcePackage, signal: AbortSignal) => Promise<string>;
  readonly delivery: 'link' | 'copy';
  readonly placing: PlacingThread;
  /** Where it is given, the source takes in what is told, so that a later attempt may succeed. */
  readonly noteFile?: PackageReader['noteFile'];
}

/** Packages that are placed together. One that is kept from an earlier compose needs not be told again. */
export interface PlacementBatch {
  readonly placements: readonly Placement[];
  /** The directories that they lie in. */
  readonly folders: readonly string[];
  /** As the thread that places files takes them, by delivery; null where some have to be fetched. */
  readonly files: Readonly<Record<'link' | 'copy', FilesToPlace>> | null;
}

/** Files between two looks at the signal: a link takes about 12 µs. */
const BATCH = 256;
/** The thread must not run out of work while this one is busy with something else. */
const BATCHES_AHEAD = 16;
const fetchesAtOnce = 8;

/** Cuts placements into batches. */
export function cutPlacements(placements: readonly Placement[]): PlacementBatch[] {
  return Array.from({ length: Math.ceil(placements.length / BATCH) }, (_none, at) =>
    batchOf(placements.slice(at * BATCH, (at + 1) * BATCH)),
  );
}

function batchOf(placements: readonly Placement[]): PlacementBatch {
  const folders = new Set(placements.map(({ path }) => dirname(path)).filter((folder) => folder !== '.'));
  const paths: string[] = [];
  for (const { package: rpm } of placements) if (rpm.origin.kind === 'file') paths.push(rpm.origin.path);
  const filesOf = (delivery: PlaceColumns['delivery']): FilesToPlace => ({
    list: () => listColumns(placements, paths, delivery),
    told: null,
  });
  const areLocal = paths.length === placements.length;
  const files = areLocal ? { link: filesOf('link'), copy: filesOf('copy') } : null;
  return { placements, folders: [...folders], files };
}

/**
 * Puts every package below the directory of the pen: a hard link, where that cannot be a reflink or a copy. A file
 * whose stamp differs from the planned one, or that has none, is compared with the digest its repository promises.
 * Throws `compose.package_unreadable`, `compose.package_changed` (size or content differ from what was planned),
 * `compose.package_digest_unknown`, `compose.disk_full`; what a source can mend is worth a retry.
 */
export async function placePackages(
  context: PlaceContext,
  pen: Pen,
  batches: readonly PlacementBatch[],
): Promise<void> {
  const folders = new Set(batches.flatMap((batch) => batch.folders));
  const total = batches.reduce((sum, { placements }) => sum + placements.length, 0);
  await rest();
  for (const folder of folders) pen.makeDirectory(folder);
  const placing: Promise<void>[] = [];
  const cancelled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const cancel = (): void => void Atomics.store(cancelled, 0, 1);
  context.signal.addEventListener('abort', cancel);
  let done = 0;
  try {
    for (const batch of batches) {
      context.signal.throwIfAborted();
      const { placements } = batch;
      const from = batch.files === null ? await fetchAll(context, placements) : null;
      if (placing.length >= BATCHES_AHEAD) await placing.shift();
      const placedThen = (done += placements.length);
      const tell = (): void => context.progress(placedThen, total);
      const placed = placeBatch({ ...context, progress: tell, cancelled }, pen.root, batch, from);
      placed.catch(() => undefined);
      placing.push(placed);
      await rest();
    }
    for (const placed of placing) {
      await placed;
      context.signal.throwIfAborted();
    }
    pen.checkDirectories(folders);
  } finally {
    // Nothing is placed any more once this has ended, however it ends.
    cancel();
    context.signal.removeEventListener('abort', cancel);
    await Promise.allSettled(placing);
  }
}

type BatchContext = Omit<PlaceContext, 'progress'> & {
  readonly progress: () => void;
  readonly cancelled: Int32Array;
};

async function placeBatch(
  context: BatchContext,
  directory: string,
  { placements, files }: PlacementBatch,
  fetched: readonly string[] | null,
): Promise<void> {
  const { cancelled, delivery, placing } = context;
  const wanted = files?.[delivery] ?? {
    list: () => listColumns(placements, fetched ?? [], delivery),
    told: null,
  };
  const findings = await placing.place(wanted, { directory, cancelled });
  for (const finding of findings) {
    const rpm = placements[finding.index]?.package;
    if (rpm === undefined) continue;
    const local = rpm.origin.kind === 'file' ? rpm.origin.path : '';
    take(context, finding, rpm, fetched?.[finding.index] ?? local);
  }
  context.progress();
}

/** Placements and the local paths of their packages in columns. Throws `compose.package_digest_unknown`. */
function listColumns(
  placements: readonly Placement[],
  from: readonly string[],
  delivery: PlaceColumns['delivery'],
): PlaceColumns {
  const stamps = placements.map(({ package: { origin } }) =>
    origin.kind === 'file' ? origin.stamp : undefined,
  );
  return {
    from,
    to: placements.map(({ path }) => path),
    sizes: Float64Array.from(placements, ({ package: rpm }) => rpm.size),
    modified: Float64Array.from(stamps, (stamp) =>
      stamp === undefined ? NO_STAMP : (stamp?.modified ?? UNKNOWN_STAMP),
    ),
    inodes: Float64Array.from(stamps, (stamp) => stamp?.inode ?? 0),
    payloads: placements.map(({ package: rpm }) => payloadToCompare(rpm)),
    delivery,
  };
}

/** The payload a file is compared with once it is placed; empty where that was done when it was fetched. */
function payloadToCompare(rpm: SourcePackage): ContentId | '' {
  const { origin, payload } = rpm;
  if (origin.kind === 'http' && origin.sha256 !== null) return '';
  const isKnown = payload.startsWith('sha256:') || promisedDigest(payload) !== null;
  if (isKnown) return payload;
  throw new ReactorError(
    'compose.package_digest_unknown',
    `The metadata give the package ${rpm.fileName} a checksum of no known kind.`,
    { where: repositoryOf(rpm), hint: 'Known are md5, sha, sha224, sha256, sha384 and sha512.' },
  );
}

/** Where people find the file: its address, where it was fetched. */
function whereOf({ origin }: SourcePackage, source: string): string {
  return origin.kind === 'http' ? origin.url : source;
}

function repositoryOf({ origin }: SourcePackage): string {
  return origin.repository ?? (origin.kind === 'file' ? dirname(origin.path) : origin.url);
}

/** Takes in what was out of the ordinary with a file. Throws where it must not be in a compose. */
function take(context: BatchContext, finding: PlaceFinding, rpm: SourcePackage, source: string): void {
  switch (finding.kind) {
    case 'restamped':
      context.noteFile?.(rpm, { modified: finding.modified, inode: finding.inode });
      return;
    case 'size':
      throw packageChanged(
        context,
        whereOf(rpm, source),
        rpm,
        `has ${finding.size} bytes where its repository says ${rpm.size}`,
      );
    case 'digest':
      throw packageChanged(context, whereOf(rpm, source), rpm, contentDiffers(rpm, finding.found));
    case 'failed':
      throw describePlacing(context, errorOf(finding), rpm, source);
    default:
      finding satisfies never;
  }
}

function contentDiffers(rpm: SourcePackage, found: string): string {
  const { algorithm = '', value = '' } = promisedDigest(rpm.payload) ?? {};
  return `is not what its repository ${repositoryOf(rpm)} says: its ${algorithm} is ${found} instead of ${value}`;
}

/** Local paths of a batch; remote ones are fetched a few at a time. */
async function fetchAll(context: PlaceContext, batch: readonly Placement[]): Promise<string[]> {
  const paths: string[] = Array.from({ length: batch.length });
  const remote: number[] = [];
  for (const [index, { package: rpm }] of batch.entries()) {
    if (rpm.origin.kind === 'file') paths[index] = rpm.origin.path;
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

async function fetchOne(context: PlaceContext, rpm: SourcePackage): Promise<string> {
  try {
    return await context.localPathOf(rpm, context.signal);
  } catch (error) {
    if (error instanceof ReactorError && otherFile.has(error.code)) context.noteFile?.(rpm, null);
    throw error;
  }
}

function packageChanged(
  { noteFile }: Pick<PlaceContext, 'noteFile'>,
  where: string,
  rpm: SourcePackage,
  how: string,
): ReactorError {
  noteFile?.(rpm, null);
  return new ReactorError('compose.package_changed', `The package ${rpm.fileName} ${how}.`, {
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
  rpm: SourcePackage,
  where: string,
): ReactorError {
  if (isDiskFull(error)) return diskFull(error);
  const isLost = 'code' in error && error.code === 'ENOENT';
  if (isLost) noteFile?.(rpm, null);
  return new ReactorError(
    'compose.package_unreadable',
    `The package ${rpm.fileName} cannot be put into the compose: ${messageOf(error)}.`,
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

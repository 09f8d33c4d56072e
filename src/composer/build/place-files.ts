import type { ContentId } from '../../model/content-id.ts';
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  realpathSync,
  unlinkSync,
  type Stats,
} from 'node:fs';
import { LRUCache } from 'lru-cache';
import { NotRegularFile } from '../../rpm/regular-file.ts';
import { fileDigests, promisedDigest } from '../file-digests.ts';

/** Files to be placed, a column each; all columns have one length. */
export interface PlaceColumns {
  readonly from: readonly string[];
  /** Relative to the directory that is filled. */
  readonly to: readonly string[];
  /** Bytes each must have. */
  readonly sizes: Float64Array;
  /** Modification times in whole milliseconds they had when they were read, `NO_STAMP` or `UNKNOWN_STAMP`. */
  readonly modified: Float64Array;
  readonly inodes: Float64Array;
  /** What identifies the content each must have, as packages have it; empty where it was compared already. */
  readonly payloads: readonly (ContentId | '')[];
  readonly delivery: 'link' | 'copy';
}

/** Files to be placed below a directory: each of them, or the number that they had in a request before. */
export interface PlaceRequest {
  readonly id: number;
  readonly directory: string;
  /** Names the files for requests to come. */
  readonly number: number;
  /** Left out where they were told before. */
  readonly columns?: PlaceColumns;
  /** Its one element becomes 1 when nobody waits for the answer any more. */
  readonly cancelled: Int32Array;
}

/** Says in `modified` that nobody asks how the file looks. */
export const NO_STAMP = Number.NaN;
/** Says in `modified` that nobody knows how the file looked, and wants to. */
export const UNKNOWN_STAMP = Number.POSITIVE_INFINITY;

/** What was out of the ordinary with the file at `index`; the first that is not `restamped` ends the request. */
export type PlaceFinding =
  /** It looks otherwise than when it was read, but has the content it should have. */
  | { readonly kind: 'restamped'; readonly index: number; readonly modified: number; readonly inode: number }
  | { readonly kind: 'size'; readonly index: number; readonly size: number }
  | { readonly kind: 'digest'; readonly index: number; readonly found: string }
  | {
      readonly kind: 'failed';
      readonly index: number;
      readonly code: string | undefined;
      readonly message: string;
    };

/** The answer to a request: what was as expected is not mentioned. Null: they were not told, or are forgotten. */
export interface PlaceAnswer {
  readonly id: number;
  readonly findings: readonly PlaceFinding[] | null;
}

/** Files that are remembered, each with a few hundred bytes: those of three main composes of a large tag. */
const MOST_REMEMBERED = 120_000;

const remembered = new LRUCache<number, PlaceColumns>({
  maxSize: MOST_REMEMBERED,
  sizeCalculation: ({ from }) => Math.max(1, from.length),
});

/** Returns how many files are remembered with their places. */
export function countPlaces(): number {
  return remembered.calculatedSize;
}

/**
 * Links or copies files, with synchronous calls (meant for a thread of its own); their directories are there. What
 * cannot be linked is copied. The very bytes that were placed are compared with their digest where they have to be.
 */
export function placeFiles({ id, directory, number, columns, cancelled }: PlaceRequest): PlaceAnswer {
  const known = columns ?? remembered.get(number);
  if (known === undefined) return { id, findings: null };
  if (columns !== undefined) remembered.set(number, columns);
  const request: Placing = { ...known, directory, cancelled };
  const findings: PlaceFinding[] = [];
  for (const [index, source] of known.from.entries()) {
    if (Atomics.load(cancelled, 0) !== 0) break;
    let finding: PlaceFinding | null;
    try {
      finding = placeFile(request, index, source);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const code = 'code' in error ? String(error.code) : undefined;
      finding = { kind: 'failed', index, code, message: error.message };
    }
    if (finding === null) continue;
    findings.push(finding);
    if (finding.kind !== 'restamped') break;
  }
  return { id, findings };
}

/** Files, and where they are placed now. */
type Placing = PlaceColumns & Pick<PlaceRequest, 'directory' | 'cancelled'>;

function placeFile(request: Placing, index: number, source: string): PlaceFinding | null {
  const target = `${request.directory}/${request.to[index] ?? ''}`;
  const linked = request.delivery === 'link' ? link(source, target) : null;
  if (linked === null) return copy(request, index, target, source);
  if (!isOfSize(request, index, linked)) return { kind: 'size', index, size: linked.size };
  if (isTrusted(request, index, linked)) return null;
  const descriptor = openSync(target, READ);
  try {
    return compare(request, index, linked, descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What was read of a file may change before it is copied, so that one descriptor serves for all. */
function copy(request: Placing, index: number, target: string, source: string): PlaceFinding | null {
  const real = lstatSync(source).isSymbolicLink() ? realpathSync(source) : source;
  const descriptor = openSync(real, READ);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new NotRegularFile(source);
    if (!isOfSize(request, index, stats)) return { kind: 'size', index, size: stats.size };
    copyFileSync(`/dev/fd/${descriptor}`, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    const isUnchanged = isSameStamp(stats, fstatSync(descriptor));
    if (isUnchanged && isTrusted(request, index, stats)) return null;
    if (isUnchanged) return compare(request, index, stats, descriptor);
    const copied = openSync(target, READ);
    try {
      return compare(request, index, stats, copied);
    } finally {
      closeSync(copied);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Repodata that say 0 do not know the size. */
function isOfSize({ sizes }: Placing, index: number, { size }: Stats): boolean {
  return size === sizes[index] || sizes[index] === 0;
}

function isSameStamp(left: Stats, right: Stats): boolean {
  return left.mtimeMs === right.mtimeMs && left.size === right.size;
}

/** Whether nothing has to be read: the file looks as it did when its content was, or its content was compared. */
function isTrusted({ modified, inodes, payloads }: Placing, index: number, stats: Stats): boolean {
  const isAsRead = modified[index] === Math.floor(stats.mtimeMs) && inodes[index] === stats.ino;
  return isAsRead || payloads[index] === '';
}

function compare(request: Placing, index: number, stats: Stats, descriptor: number): PlaceFinding | null {
  const isCancelled = (): boolean => Atomics.load(request.cancelled, 0) !== 0;
  const payload = request.payloads[index] ?? '';
  const promised = payload === '' ? null : promisedDigest(payload);
  if (promised === null) throw new Error(`${payload} is no digest`);
  const found = fileDigests.digestOf(descriptor, promised.algorithm, isCancelled);
  if (found === null) return null;
  if (found !== promised.value) return { kind: 'digest', index, found };
  const hadStamp = !Number.isNaN(request.modified[index]);
  return hadStamp
    ? { kind: 'restamped', index, modified: Math.floor(stats.mtimeMs), inode: stats.ino }
    : null;
}

/** Other file system, too many links, or a file of somebody else: then it is copied. */
const unlinkable = new Set(['EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP']);

/** Links a file and returns how the link looks; null where it cannot be linked. What a link points to is linked. */
function link(from: string, target: string): Stats | null {
  try {
    linkSync(from, target);
  } catch (error) {
    if (error instanceof Error && 'code' in error && unlinkable.has(String(error.code))) return null;
    throw error;
  }
  const stats = lstatSync(target);
  if (stats.isFile()) return stats;
  unlinkSync(target);
  if (!stats.isSymbolicLink()) throw new NotRegularFile(from);
  const real = realpathSync(from);
  if (real === from) throw new Error(`${from} changes while it is read`);
  return link(real, target);
}

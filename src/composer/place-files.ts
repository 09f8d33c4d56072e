import { constants, copyFileSync, linkSync, statSync } from 'node:fs';
import { NotRegularFile } from '../rpm/regular-file.ts';

/** Files to be placed, a column each; all columns have one length. */
export interface PlaceRequest {
  readonly id: number;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Bytes each must have. */
  readonly sizes: Float64Array;
  /** Modification times in whole milliseconds they had when they were read, `NO_STAMP` or `UNKNOWN_STAMP`. */
  readonly modified: Float64Array;
  readonly inodes: Float64Array;
  readonly delivery: 'link' | 'copy';
}

/** Says in `modified` that only the size of a file is compared. */
export const NO_STAMP = Number.NaN;
/** Says in `modified` that nobody knows how the file looked: its content is to be read. */
export const UNKNOWN_STAMP = Number.POSITIVE_INFINITY;

/** What was out of the ordinary with the file at `index`; the first that is not `doubtful` ends the request. */
export type PlaceFinding =
  | { readonly kind: 'doubtful'; readonly index: number; readonly modified: number; readonly inode: number }
  | { readonly kind: 'size'; readonly index: number; readonly size: number }
  | {
      readonly kind: 'failed';
      readonly index: number;
      readonly code: string | undefined;
      readonly message: string;
    };

/** The answer to a request: what was as expected is not mentioned. */
export interface PlaceAnswer {
  readonly id: number;
  readonly findings: readonly PlaceFinding[];
}

/**
 * Links or copies files, with synchronous calls (meant for a thread of its own); their directories are there. What
 * cannot be linked is copied.
 */
export function placeFiles({ id, from, to, sizes, modified, inodes, delivery }: PlaceRequest): PlaceAnswer {
  const findings: PlaceFinding[] = [];
  for (const [index, source] of from.entries()) {
    const target = to[index] ?? '';
    try {
      const stats = statSync(source);
      if (!stats.isFile()) throw new NotRegularFile(source);
      if (stats.size !== sizes[index]) {
        findings.push({ kind: 'size', index, size: stats.size });
        break;
      }
      if (delivery !== 'link' || !tryLink(source, target)) {
        copyFileSync(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      }
      const wanted = modified[index] ?? NO_STAMP;
      const found = Math.floor(stats.mtimeMs);
      if (!Number.isNaN(wanted) && (wanted !== found || inodes[index] !== stats.ino)) {
        findings.push({ kind: 'doubtful', index, modified: found, inode: stats.ino });
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const code = 'code' in error ? String(error.code) : undefined;
      findings.push({ kind: 'failed', index, code, message: error.message });
      break;
    }
  }
  return { id, findings };
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

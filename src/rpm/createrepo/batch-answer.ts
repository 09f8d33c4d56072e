import { ReactorError } from '../../model/errors.ts';
import type { HeaderFacts } from '../header/header-facts.ts';
import type { PackageFragments } from '../package-fragments.ts';
import type { PackedBlock } from '../repodata/block-cache.ts';

/** What a worker found out about a file besides its repodata. */
export interface FileFound extends HeaderFacts {
  /** Bytes. */
  readonly size: number;
  /** Modification time in whole milliseconds and inode, from before the file was read. */
  readonly modified: number;
  readonly inode: number;
}

/**
 * What a worker answers. The pieces lie in `buffer` kind by kind: all of primary, filelists, other, and records.
 * `ends` has five numbers of every package: how long the four were after it, and its location offset.
 */
export type BatchAnswer = BatchMade | { readonly id: number; readonly failure: BatchFailure };

export interface BatchMade {
  readonly id: number;
  /** May be longer than what lies in it. */
  readonly buffer: ArrayBuffer;
  readonly pkgids: readonly string[];
  readonly identities: readonly string[];
  readonly ends: readonly number[];
  /** Empty where they were not asked for. */
  readonly found: readonly FileFound[];
  /** The files of repodata packed, by the keys of a `BlockCache`. */
  readonly packed: readonly (readonly [key: string, block: PackedBlock])[];
}

/** A ReactorError on its way between threads. */
export interface BatchFailure {
  readonly code: string;
  readonly message: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;
}

/** A package made by a worker. */
export interface MadePackage {
  readonly fragments: PackageFragments;
  /** As `encodeRecord` writes it; empty where no records were wanted. */
  readonly record: Uint8Array;
  /** Only where it was asked for. */
  readonly found: FileFound | undefined;
}

const NUMBERS = 5;

/** One package of an answer; nothing is copied. */
export function packageOf(made: BatchMade, index: number): MadePackage {
  const { buffer, ends } = made;
  const at = index * NUMBERS;
  const last = ends.length - NUMBERS;
  let base = 0;
  const piece = (part: number) => {
    const start = index === 0 ? 0 : (ends[at - NUMBERS + part] ?? 0);
    const view = new Uint8Array(buffer, base + start, (ends[at + part] ?? 0) - start);
    base += ends[last + part] ?? 0;
    return view;
  };
  return {
    fragments: {
      pkgid: made.pkgids[index] ?? '',
      identity: made.identities[index] ?? '',
      locationOffset: ends[at + 4] ?? 0,
      primary: piece(0),
      filelists: piece(1),
      other: piece(2),
    },
    record: piece(3),
    found: made.found[index],
  };
}

/** All packages of an answer. */
export function packagesOf(made: BatchMade): MadePackage[] {
  return made.pkgids.map((_, index) => packageOf(made, index));
}

/** The error of a failed batch. */
export function errorOf({ code, message, where, hint }: BatchFailure): ReactorError {
  return new ReactorError(code, message, { ...(where && { where }), ...(hint && { hint }) });
}

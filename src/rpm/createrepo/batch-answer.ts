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

/** Takes the packages of an answer apart without copying. */
export function packagesOf({ buffer, pkgids, identities, ends, found }: BatchMade): MadePackage[] {
  const last = ends.length - NUMBERS;
  const bases = [0, 0, 0, 0];
  for (let part = 1; part < bases.length; part += 1) {
    bases[part] = (bases[part - 1] ?? 0) + (ends[last + part - 1] ?? 0);
  }
  return pkgids.map((pkgid, index) => {
    const piece = (part: number) => {
      const at = index * NUMBERS + part;
      const start = index === 0 ? 0 : (ends[at - NUMBERS] ?? 0);
      return new Uint8Array(buffer, (bases[part] ?? 0) + start, (ends[at] ?? 0) - start);
    };
    return {
      fragments: {
        pkgid,
        identity: identities[index] ?? '',
        locationOffset: ends[index * NUMBERS + 4] ?? 0,
        primary: piece(0),
        filelists: piece(1),
        other: piece(2),
      },
      record: piece(3),
      found: found[index],
    };
  });
}

/** The error of a failed batch. */
export function errorOf({ code, message, where, hint }: BatchFailure): ReactorError {
  return new ReactorError(code, message, { ...(where && { where }), ...(hint && { hint }) });
}

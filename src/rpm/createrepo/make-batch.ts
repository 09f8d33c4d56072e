import { ReactorError } from '../../model/errors.ts';
import { encodeRecord } from '../cache/record-bytes.ts';
import { readRpmFile } from '../header/read-rpm-header.ts';
import type { PackageFragments } from '../package-fragments.ts';
import { recordOf } from '../record-of.ts';
import { makeFragments } from '../repodata/make-fragments.ts';

/** An RPM to be read; its SHA-256 where it is known already. */
export interface BatchFile {
  readonly path: string;
  readonly pkgid?: string;
}

/** What is asked of a worker. */
export interface BatchRequest {
  readonly id: number;
  readonly files: readonly BatchFile[];
  /** Whether the records of gather are wanted too. */
  readonly withRecords: boolean;
}

/** A package in the answer of a worker: its pieces lie in the batch's buffer one after the other. */
export interface BatchEntry {
  readonly pkgid: string;
  readonly identity: string;
  readonly locationOffset: number;
  /** Where primary begins, then where it, filelists, other and the record end. */
  readonly bounds: readonly [number, number, number, number, number];
}

export type BatchAnswer =
  | { readonly id: number; readonly buffer: ArrayBuffer; readonly entries: readonly BatchEntry[] }
  | { readonly id: number; readonly failure: BatchFailure };

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
}

const SCRATCH_BYTES = 1024 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** Reads the RPMs of a batch and lays their repodata into one buffer that can be handed to another thread. */
export function makeBatch({ id, files, withRecords }: BatchRequest): BatchAnswer {
  try {
    const pieces: Uint8Array[] = [];
    const entries: BatchEntry[] = [];
    let size = 0;
    for (const { path, pkgid } of files) {
      const file = readRpmFile(path, pkgid === undefined ? { scratch } : { scratch, pkgid });
      const { primary, filelists, other, locationOffset, identity = '' } = makeFragments(file.header, file);
      const record = withRecords ? encodeRecord(recordOf(file.header)) : new Uint8Array();
      pieces.push(primary, filelists, other, record);
      const a = size + primary.byteLength;
      const b = a + filelists.byteLength;
      const c = b + other.byteLength;
      const d = c + record.byteLength;
      entries.push({ pkgid: file.pkgid, identity, locationOffset, bounds: [size, a, b, c, d] });
      size = d;
    }
    const buffer = new ArrayBuffer(size);
    const all = new Uint8Array(buffer);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.byteLength;
    }
    return { id, buffer, entries };
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    const { code, message, where, hint } = error;
    return { id, failure: { code, message, where, hint } };
  }
}

/** Takes the packages of an answer apart without copying. Throws the error of a failed batch. */
export function packagesOf(answer: BatchAnswer): MadePackage[] {
  if ('failure' in answer) {
    const { code, message, where, hint } = answer.failure;
    throw new ReactorError(code, message, { ...(where && { where }), ...(hint && { hint }) });
  }
  return answer.entries.map(({ pkgid, identity, locationOffset, bounds }) => {
    const [start, primary, filelists, other, record] = bounds;
    const piece = (from: number, to: number) => new Uint8Array(answer.buffer, from, to - from);
    return {
      fragments: {
        pkgid,
        identity,
        locationOffset,
        primary: piece(start, primary),
        filelists: piece(primary, filelists),
        other: piece(filelists, other),
      },
      record: piece(other, record),
    };
  });
}

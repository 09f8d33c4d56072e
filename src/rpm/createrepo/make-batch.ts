import { ReactorError } from '../../model/errors.ts';
import { encodeRecord } from '../record-bytes.ts';
import { headerFactsOf } from '../header/header-facts.ts';
import { readRpmFile } from '../header/read-rpm-header.ts';
import type { PackageFragments, PackageLocation } from '../package-fragments.ts';
import { recordOf } from '../record-of.ts';
import { type Compression, compressNow } from '../repodata/compression.ts';
import { copyPieces, keyOfBlock, keyOfPackages, metadataKinds, piecesOf } from '../repodata/join-pieces.ts';
import { type FragmentBytes, writeFragments } from '../repodata/make-fragments.ts';
import { XmlBytes } from '../repodata/xml-bytes.ts';
import { type BatchAnswer, type BatchMade, type FileFound, packagesOf } from './batch-answer.ts';

/** An RPM to be read; its SHA-256 where it is known already. */
export interface BatchFile {
  /** The path, or its bytes where they are no UTF-8. */
  readonly path: string | Uint8Array;
  readonly pkgid?: string;
}

/** A whole block of repodata: how it is packed, and where every one of its packages lies. */
export interface BatchBlock {
  readonly compression: Compression;
  readonly locations: readonly PackageLocation[];
}

/** What is asked of a worker. */
export interface BatchRequest {
  readonly id: number;
  readonly files: readonly BatchFile[];
  /** Whether the records of gather are wanted too. */
  readonly withRecords?: boolean;
  /** Whether what the headers say of the packages is wanted too. */
  readonly withFacts?: boolean;
  /** Where the files are a block that shall be packed too. */
  readonly block?: BatchBlock;
  /** Memory for the answer, used where it is long enough. */
  readonly memory?: ArrayBuffer | undefined;
}

const SCRATCH_BYTES = 1024 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
const sink: FragmentBytes = { primary: new XmlBytes(), filelists: new XmlBytes(), other: new XmlBytes() };
const records = new XmlBytes();
const open = new XmlBytes();
const LEAST_MEMORY = 1024 * 1024;

/** Reads the RPMs of a batch and lays their repodata into one buffer that can be handed to another thread. */
export function makeBatch(request: BatchRequest): BatchAnswer {
  try {
    const made = readBatch(request);
    if (!request.block) return made;
    const fragments = packagesOf(made).map((rpm) => rpm.fragments);
    return { ...made, packed: packBlock(request.block, fragments) };
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    const { code, message, where, hint } = error;
    return { id: request.id, failure: { code, message, where, hint } };
  } finally {
    for (const bytes of [sink.primary, sink.filelists, sink.other, records, open]) bytes.clear();
  }
}

function readBatch({ id, files, withRecords, withFacts, memory }: BatchRequest): BatchMade {
  const pkgids: string[] = [];
  const identities: string[] = [];
  const ends: number[] = [];
  const found: FileFound[] = [];
  for (const { path, pkgid } of files) {
    const file = readRpmFile(path, pkgid === undefined ? { scratch } : { scratch, pkgid });
    const { header, size, modified, inode } = file;
    const { identity, locationOffset, readPrimaryFiles } = writeFragments(header, file, sink);
    if (withRecords === true) records.addBytes(encodeRecord(recordOf(header, readPrimaryFiles())));
    if (withFacts === true) found.push({ ...headerFactsOf(header), size, modified, inode });
    pkgids.push(file.pkgid);
    identities.push(identity);
    ends.push(sink.primary.length, sink.filelists.length, sink.other.length, records.length, locationOffset);
  }
  const pieces = [sink.primary, sink.filelists, sink.other, records].map((bytes) => bytes.view());
  const buffer = joined(pieces, memory);
  return { id, buffer, pkgids, identities, ends, found, packed: [] };
}

function packBlock(
  { compression, locations }: BatchBlock,
  fragments: readonly PackageFragments[],
): BatchMade['packed'] {
  const key = keyOfPackages(fragments, locations);
  return metadataKinds.map(({ type }) => {
    open.clear();
    const [first = open.view(), ...others] = piecesOf(type, fragments, locations);
    for (const piece of others.length > 0 ? [first, ...others] : []) open.addBytes(piece);
    const whole = others.length > 0 ? open.view() : first;
    const bytes = Uint8Array.from(compressNow(whole, compression));
    return [keyOfBlock(compression, type, key), { bytes, openSize: whole.byteLength }];
  });
}

function joined(pieces: readonly Uint8Array[], memory: ArrayBuffer | undefined): ArrayBuffer {
  const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const buffer = memory && memory.byteLength >= size ? memory : newMemory(size);
  copyPieces(pieces, new Uint8Array(buffer));
  return buffer;
}

/** Rounded up, so that most other batches fit into it too. */
function newMemory(size: number): ArrayBuffer {
  let room = LEAST_MEMORY;
  while (room < size) room *= 2;
  return new ArrayBuffer(room);
}

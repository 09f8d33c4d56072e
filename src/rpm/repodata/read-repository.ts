import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { ReactorError } from '../../model/errors.ts';
import { algorithmOfType } from '../digest-algorithm.ts';
import { compressionOf, contentLimit, decompressParts, joinParts } from './decompress.ts';
import { inSlices } from './in-slices.ts';
import { readBelow, readBelowBase, type ReadBelow, type RepositoryContext } from './location.ts';
import { parseRepomd, type RepomdChecksum, type RepomdRecord } from './repomd.ts';
import { decoderOfXml, encodingOfXml } from './xml-encoding.ts';

const REPOMD_LIMIT = 16 * 1024 * 1024;
/** The most bytes of a metadata file as it is packed, whatever repomd.xml says: so many lie in memory. */
const PACKED_LIMIT = 512 * 1024 * 1024;

/** A repository whose repomd.xml has been read. */
export interface Repository {
  /** The directory or URL it was opened by. */
  readonly location: string;
  /** The `<revision>` of repomd.xml, often seconds since 1970. */
  readonly revision: string;
  readonly records: readonly RepomdRecord[];
  /** The record of a type (`primary`, `filelists`, `group`, `modules` …), or null. */
  record(type: string): RepomdRecord | null;
  /**
   * The decompressed content of a metadata file, size and both checksums verified. Throws
   * `repodata.record_missing`, `repodata.checksum_mismatch`, `repodata.checksum_unknown`, `repodata.too_large`,
   * `repodata.compression_broken`, `repodata.encoding`, `repodata.unreadable`, `repodata.file_missing`. XML in another
   * encoding comes as UTF-8.
   */
  readRecord(type: string): Promise<Buffer>;
  /**
   * The same in parts, the next one made while this one is used. What is wrong with the whole is known only at its
   * end: throw away what was made of the parts when this throws.
   */
  readParts(type: string): AsyncGenerator<Buffer>;
}

function algorithmOf(checksum: RepomdChecksum, where: string): string {
  const algorithm = algorithmOfType(checksum.type);
  if (algorithm !== undefined) return algorithm;
  throw new ReactorError('repodata.checksum_unknown', `The checksum type "${checksum.type}" is unknown.`, {
    where,
  });
}

/** Compares a file with its checksum. A file without one is read all the same, as dnf does. */
async function verify(bytes: Buffer, checksum: RepomdChecksum | null, where: string): Promise<void> {
  if (checksum === null) return;
  const sum = createHash(algorithmOf(checksum, where));
  for await (const slice of inSlices(bytes)) sum.update(slice);
  verifyFound(sum.digest('hex'), checksum, 'checksum', where);
}

function verifyFound(found: string, checksum: RepomdChecksum, what: string, where: string): void {
  if (found === checksum.value) return;
  throw new ReactorError(
    'repodata.checksum_mismatch',
    `The ${what} is ${found}, repomd.xml says ${checksum.value}.`,
    { where, fate: 'retry', hint: 'The repository changed while it was read, or a mirror is stale.' },
  );
}

/**
 * Reads a metadata file that repomd.xml lists, no further than its size says. Throws `repodata.too_large`,
 * `repodata.size_mismatch` where it is longer, and `repodata.file_missing`: a repository that is written meanwhile.
 */
async function readListed(read: ReadBelow, record: RepomdRecord, where: string): Promise<Buffer> {
  const size = record.size ?? PACKED_LIMIT;
  if (size > PACKED_LIMIT) {
    throw new ReactorError(
      'repodata.too_large',
      `repomd.xml says that the ${record.type} has ${size} bytes.`,
      {
        where,
        hint: `No more than ${PACKED_LIMIT} bytes are read of one file.`,
      },
    );
  }
  try {
    return await read(record.href, size);
  } catch (thrown) {
    if (!(thrown instanceof ReactorError)) throw thrown;
    if (thrown.code === 'repodata.too_large' && record.size !== null) {
      throw new ReactorError(
        'repodata.size_mismatch',
        `The file is larger than the ${size} bytes repomd.xml says.`,
        {
          where,
          fate: 'retry',
          cause: thrown,
        },
      );
    }
    if (thrown.code !== 'repodata.unreadable' || thrown.fate === 'retry') throw thrown;
    throw new ReactorError(
      'repodata.file_missing',
      `The ${record.type} that repomd.xml lists cannot be read.`,
      {
        where,
        fate: 'retry',
        hint: `${thrown.message} The repository changed while it was read, or a mirror is not whole.`,
        cause: thrown,
      },
    );
  }
}

function verifySize(found: number, declared: number | null, what: string, where: string): void {
  if (declared === null || found === declared) return;
  throw new ReactorError('repodata.size_mismatch', `The ${what} is ${found}, repomd.xml says ${declared}.`, {
    where,
    fate: 'retry',
  });
}

/** How many bytes at the end begin a character that does not end there. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

/** Passes parts on as UTF-8, each of whole characters. Throws `repodata.encoding`. */
async function* utf8Parts(parts: AsyncIterable<Buffer>, where: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let decode: ((bytes?: Uint8Array) => string) | undefined;
  let isFirst = true;
  for await (const part of parts) {
    if (isFirst) {
      const encoding = encodingOfXml(part);
      if (encoding !== 'utf-8') decode = decoderOfXml(encoding, where);
      isFirst = false;
    }
    if (decode !== undefined) {
      yield Buffer.from(decode(part));
      continue;
    }
    const whole = rest.length === 0 ? part : Buffer.concat([rest, part]);
    const end = whole.length - unfinishedBytes(whole);
    const bytes = whole.subarray(0, end);
    if (!isUtf8(bytes)) throw notUtf8(where);
    rest = Buffer.from(whole.subarray(end));
    yield bytes;
  }
  if (rest.length > 0) throw notUtf8(where);
  if (decode !== undefined) yield Buffer.from(decode());
}

function notUtf8(where: string): ReactorError {
  return new ReactorError('repodata.encoding', 'The file is not UTF-8.', { where });
}

async function* verifiedParts(
  bytes: Uint8Array,
  record: RepomdRecord,
  where: string,
): AsyncGenerator<Buffer> {
  const parts = decompressParts(bytes, contentLimit(bytes.length, record.openSize), where);
  const { openChecksum } = record;
  if (compressionOf(bytes) === 'none' || openChecksum === null) {
    yield* parts;
    return;
  }
  const sum = createHash(algorithmOf(openChecksum, where));
  let size = 0;
  for await (const part of parts) {
    sum.update(part);
    size += part.length;
    yield part;
  }
  verifySize(size, record.openSize, 'open-size', where);
  verifyFound(sum.digest('hex'), openChecksum, 'open-checksum', where);
}

/**
 * Opens a repository at a directory path, file:// or http(s) URL by reading repodata/repomd.xml. Metadata files
 * are read when asked for. Throws what `parseRepomd` throws, `repodata.unreadable`, `repodata.unreachable`.
 */
export async function openRepository(context: RepositoryContext, location: string): Promise<Repository> {
  const read = readBelow(context, location);
  const base = location.replace(/\/+$/, '');
  const repomd = parseRepomd(await read('repodata/repomd.xml', REPOMD_LIMIT), `${base}/repodata/repomd.xml`);
  const byType = new Map(repomd.records.map((record) => [record.type, record]));
  const readPacked = async (type: string) => {
    const record = byType.get(type);
    if (record === undefined) {
      throw new ReactorError('repodata.record_missing', `The repository has no ${type} metadata.`, {
        where: location,
      });
    }
    const where = `${base}/${record.href}`;
    const readRecord = record.base === null ? read : readBelowBase(context, location, record.base);
    const bytes = await readListed(readRecord, record, where);
    context.signal?.throwIfAborted();
    verifySize(bytes.length, record.size, 'size', where);
    await verify(bytes, record.checksum, where);
    return { record, where, bytes };
  };
  async function* readParts(type: string): AsyncGenerator<Buffer> {
    const { record, where, bytes } = await readPacked(type);
    yield* utf8Parts(verifiedParts(bytes, record, where), where);
  }
  return {
    location,
    revision: repomd.revision,
    records: repomd.records,
    record: (type) => byType.get(type) ?? null,
    readRecord: (type) => joinParts(readParts(type)),
    readParts,
  };
}

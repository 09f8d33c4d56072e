import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { ReactorError } from '../../model/errors.ts';
import { contentLimit, decompress, METADATA_LIMIT } from './decompress.ts';
import { readBelow, type RepositoryContext } from './location.ts';
import { parseRepomd, type RepomdChecksum, type RepomdRecord } from './repomd.ts';

const REPOMD_LIMIT = 16 * 1024 * 1024;
const algorithms: Readonly<Record<string, string>> = {
  md5: 'md5',
  sha: 'sha1',
  sha1: 'sha1',
  sha224: 'sha224',
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512',
};

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
   * `repodata.compression_broken`, `repodata.encoding` (not UTF-8), `repodata.unreadable`.
   */
  readRecord(type: string): Promise<Buffer>;
}

function verify(bytes: Uint8Array, checksum: RepomdChecksum, what: string, where: string): void {
  const algorithm = algorithms[checksum.type];
  if (algorithm === undefined) {
    throw new ReactorError('repodata.checksum_unknown', `The checksum type "${checksum.type}" is unknown.`, {
      where,
    });
  }
  const found = hash(algorithm, bytes, 'hex');
  if (found === checksum.value) return;
  throw new ReactorError(
    'repodata.checksum_mismatch',
    `The ${what} is ${found}, repomd.xml says ${checksum.value}.`,
    { where, fate: 'retry', hint: 'The repository changed while it was read, or a mirror is stale.' },
  );
}

function verifySize(found: number, declared: number | null, what: string, where: string): void {
  if (declared === null || found === declared) return;
  throw new ReactorError('repodata.size_mismatch', `The ${what} is ${found}, repomd.xml says ${declared}.`, {
    where,
    fate: 'retry',
  });
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
  return {
    location,
    revision: repomd.revision,
    records: repomd.records,
    record: (type) => byType.get(type) ?? null,
    async readRecord(type) {
      const record = byType.get(type);
      if (record === undefined) {
        throw new ReactorError('repodata.record_missing', `The repository has no ${type} metadata.`, {
          where: location,
        });
      }
      const where = `${base}/${record.href}`;
      const bytes = await read(record.href, record.size ?? METADATA_LIMIT);
      context.signal?.throwIfAborted();
      verifySize(bytes.length, record.size, 'size', where);
      verify(bytes, record.checksum, 'checksum', where);
      const content = await decompress(bytes, contentLimit(bytes.length, record.openSize), where);
      if (content.buffer !== bytes.buffer) {
        verifySize(content.length, record.openSize, 'open-size', where);
        if (record.openChecksum !== null) verify(content, record.openChecksum, 'open-checksum', where);
      }
      if (!isUtf8(content)) {
        throw new ReactorError('repodata.encoding', 'The file is not UTF-8.', { where });
      }
      return content;
    },
  };
}

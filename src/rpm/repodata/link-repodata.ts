import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeExtraRecord } from './extra-record.ts';
import { metadataKinds } from './join-pieces.ts';
import { publishRepomd, type StagedFile } from './publish-repomd.ts';
import type { RepomdRecord } from './repomd-xml.ts';
import type { RepodataOptions, WrittenRepodata } from './write-repodata.ts';

/** A metadata file of a repository, and how it looked once it was durable. */
interface WrittenFile {
  readonly record: RepomdRecord;
  readonly inode: number;
  /** Modification time in milliseconds. */
  readonly modified: number;
}

/** The metadata files of packages that were written before, without those beside them. */
export interface EarlierRepodata {
  /** The directory they lie in now. */
  readonly repodata: string;
  readonly files: readonly WrittenFile[];
  readonly packages: number;
}

/**
 * Returns what was written into a directory, to be linked later; `repodata` is where its files will lie by then. Throws what
 * looking at the files throws.
 */
export function noteRepodata(
  directory: string,
  { records, packages }: WrittenRepodata,
  repodata: string,
): EarlierRepodata {
  const types = new Set<string>(metadataKinds.map(({ type }) => type));
  const own = records.filter(({ type }) => types.has(type));
  const files = own.map((record): WrittenFile => {
    const { ino, mtimeMs } = lstatSync(join(directory, record.href));
    return { record, inode: ino, modified: mtimeMs };
  });
  return { repodata, files, packages };
}

/**
 * Makes the repodata of packages out of those that were written for the same packages, at the same locations and with the
 * same compression and digests: their files are linked, and `repomd.xml` is written. Returns null, with nothing done, where a
 * file is not as it was or cannot be linked.
 */
export async function linkRepodata(
  directory: string,
  earlier: EarlierRepodata,
  { timestamp, revision = String(timestamp), checksum = 'sha256', extra = [] }: RepodataOptions,
): Promise<WrittenRepodata | null> {
  const repodata = join(directory, 'repodata');
  mkdirSync(repodata, { recursive: true });
  const mark = `.${process.pid}-${randomBytes(6).toString('hex')}`;
  const staged: StagedFile[] = [];
  try {
    for (const file of earlier.files) {
      const temporary = join(repodata, `${mark}-${file.record.type}`);
      staged.push({ temporary, record: { ...file.record, timestamp } });
      if (!isLinked(earlier, file, temporary)) return null;
    }
    for (const record of extra) {
      staged.push(await writeExtraRecord(repodata, record, { timestamp, checksum }, mark));
    }
    const repomdChecksum = await publishRepomd(repodata, revision, staged, mark);
    const records = staged.map(({ record }) => record);
    return { revision, packages: earlier.packages, records, repomdChecksum };
  } finally {
    for (const { temporary } of staged) rmSync(temporary, { force: true });
  }
}

/** Links a file; returns whether that is the one that was written. */
function isLinked({ repodata }: EarlierRepodata, file: WrittenFile, to: string): boolean {
  try {
    linkSync(join(repodata, file.record.href.slice('repodata/'.length)), to);
    const { size, ino, mtimeMs } = lstatSync(to);
    return size === file.record.size && ino === file.inode && mtimeMs === file.modified;
  } catch (error) {
    // Gone, on another file system, linked too often, of somebody else: whatever it is, it can be written.
    if (error instanceof Error && 'syscall' in error) return false;
    throw error;
  }
}

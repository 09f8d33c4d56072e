import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { formatRepomd, type RepomdRecord } from './repomd-xml.ts';
import { syncDirectory, writeDurably } from './write-durably.ts';

function filesNamedBy(repomd: string): string[] {
  return [...repomd.matchAll(/<location href="repodata\/([^"/]+)"\/>/g)].map((match) => match[1] ?? '');
}

/** A file of the repository that is durable, but has its temporary name yet. */
export interface StagedFile {
  readonly temporary: string;
  readonly record: RepomdRecord;
}

/**
 * Gives the staged files their names, puts a new repomd.xml in the place of the old one in one rename, then
 * removes the files only the old one named. Returns the SHA-256 of the new one, hex.
 */
export async function publishRepomd(
  repodata: string,
  revision: string,
  staged: readonly StagedFile[],
  mark: string,
): Promise<string> {
  const path = join(repodata, 'repomd.xml');
  const old = existsSync(path) ? filesNamedBy(readFileSync(path, 'utf8')) : [];
  const records = staged.map(({ record }) => record);
  const bytes = Buffer.from(formatRepomd(revision, records));
  const temporary = join(repodata, `${mark}-repomd`);
  await writeDurably(temporary, bytes);
  for (const file of staged) renameSync(file.temporary, join(repodata, basename(file.record.href)));
  await syncDirectory(repodata);
  renameSync(temporary, path);
  await syncDirectory(repodata);
  const current = new Set(records.map((record) => basename(record.href)));
  for (const file of old) {
    if (!current.has(file)) rmSync(join(repodata, file), { force: true });
  }
  return createHash('sha256').update(bytes).digest('hex');
}

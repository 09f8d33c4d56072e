import { existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Directory nobody sees, on the file system of the target directory, that becomes the compose by one rename. */
export function buildingDirectory(targetDir: string, id: number): string {
  return join(targetDir, `.odcs-${id}.building`);
}

function publishedDirectory(targetDir: string, id: number): string {
  return join(targetDir, `odcs-${id}`);
}

/** The fingerprint of what is published under an id, or null where nothing is. */
export function publishedFingerprint(targetDir: string, id: number): string | null {
  try {
    return readFileSync(join(publishedDirectory(targetDir, id), 'work/global/fingerprint'), 'utf8').trim();
  } catch {
    return null;
  }
}

/** Whether the directory of a compose is there. */
export function isPublished(targetDir: string, id: number): boolean {
  return existsSync(join(publishedDirectory(targetDir, id), 'STATUS'));
}

/**
 * Makes a built directory the compose, by one rename, and points `latest-odcs-<id>-1` at it. What an earlier,
 * cut off attempt published under the id goes away first.
 */
export async function publishCompose(targetDir: string, id: number): Promise<void> {
  const published = publishedDirectory(targetDir, id);
  if (existsSync(published)) {
    const old = join(targetDir, `.odcs-${id}.old`);
    await rm(old, { recursive: true, force: true });
    renameSync(published, old);
    await rm(old, { recursive: true, force: true });
  }
  renameSync(buildingDirectory(targetDir, id), published);
  linkLatest(targetDir, id);
}

/** Points `latest-odcs-<id>-1`, the name old clients know, at the compose. */
export function linkLatest(targetDir: string, id: number): void {
  const link = join(targetDir, `latest-odcs-${id}-1`);
  rmSync(link, { force: true });
  symlinkSync(`odcs-${id}`, link);
}

/** Removes the directory and the link of a compose; first by a rename, so that nobody sees half of it. */
export async function unpublishCompose(targetDir: string, id: number): Promise<void> {
  const link = join(targetDir, `latest-odcs-${id}-1`);
  try {
    unlinkSync(link);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const published = publishedDirectory(targetDir, id);
  if (statSync(published, { throwIfNoEntry: false }) === undefined) return;
  const gone = join(targetDir, `.odcs-${id}.removed`);
  await rm(gone, { recursive: true, force: true });
  renameSync(published, gone);
  await rm(gone, { recursive: true, force: true });
}

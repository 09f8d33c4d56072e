import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

const shownName = /^(?:odcs-(\d+)|latest-odcs-(\d+)-1)$/;
const hiddenName = /^\.odcs-(\d+)(?:\.[0-9a-f]+)?\.(building|old|removed)$/;

/**
 * A directory nobody sees, on the file system of the target directory, that becomes the compose by one rename.
 * Every attempt gets its own: one that was thought dead must not publish what another is still writing.
 */
export function buildingDirectory(targetDir: string, id: number): string {
  return join(targetDir, `.odcs-${id}.${randomBytes(4).toString('hex')}.building`);
}

/** Which compose an entry of a target directory belongs to, and whether it is on its way in or out. */
export function readEntryName(entry: string): { id: number; hidden: 'building' | 'gone' | null } | null {
  const shown = shownName.exec(entry);
  if (shown !== null) return { id: Number(shown[1] ?? shown[2]), hidden: null };
  const hidden = hiddenName.exec(entry);
  if (hidden === null) return null;
  return { id: Number(hidden[1]), hidden: hidden[2] === 'building' ? 'building' : 'gone' };
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
 * Makes the `built` directory the compose, by one rename, and points `latest-odcs-<id>-1` at it. What an earlier,
 * cut off attempt published under the id goes away first.
 */
export async function publishCompose(targetDir: string, id: number, built: string): Promise<void> {
  const published = publishedDirectory(targetDir, id);
  if (existsSync(published)) {
    const old = join(targetDir, `.odcs-${id}.old`);
    await rm(old, { recursive: true, force: true });
    renameSync(published, old);
    await rm(old, { recursive: true, force: true });
  }
  renameSync(built, published);
  linkLatest(targetDir, id);
}

/** Points `latest-odcs-<id>-1`, the name old clients know, at the compose. */
export function linkLatest(targetDir: string, id: number): void {
  const made = join(targetDir, `.odcs-${id}.${randomBytes(4).toString('hex')}.old`);
  symlinkSync(`odcs-${id}`, made);
  renameSync(made, join(targetDir, `latest-odcs-${id}-1`));
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

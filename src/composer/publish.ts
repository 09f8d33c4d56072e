import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pathBelow } from './pen.ts';

const shownName = /^(?:odcs-(\d+)|latest-odcs-(\d+)-1)$/;
const hiddenName = /^\.odcs-(\d+)(?:\.[0-9a-f]+)?\.(building|old|removed)$/;

/** The attempt that a directory is built by. */
export interface BuildingAttempt {
  readonly id: number;
  readonly attempt: number;
}

/**
 * Returns a directory nobody sees, on the file system of the target directory, that becomes the compose by one rename.
 * Every attempt has its own, so that a later one can take it out of the way.
 */
export function buildingDirectory(targetDir: string, { id, attempt }: BuildingAttempt): string {
  return pathBelow(targetDir, `.odcs-${id}.${attempt}.building`);
}

/**
 * Takes out of the way what earlier attempts at a compose built or showed, so that one that only slept has nothing left
 * to show. To be called once the attempt holds the compose, before it builds.
 */
export async function clearAttempts(targetDir: string, held: BuildingAttempt): Promise<void> {
  if (held.attempt === 1) return;
  await clearBuilding(targetDir, held);
  await putAway(targetDir, held, [publishedDirectory(targetDir, held.id)]);
}

/** Takes out of the way only what earlier attempts built and did not show. */
export async function clearBuilding(targetDir: string, { id, attempt }: BuildingAttempt): Promise<void> {
  const earlier = Array.from({ length: attempt - 1 }, (_none, index) =>
    buildingDirectory(targetDir, { id, attempt: index + 1 }),
  );
  await putAway(targetDir, { id }, earlier);
}

async function putAway(
  targetDir: string,
  { id }: Pick<BuildingAttempt, 'id'>,
  directories: readonly string[],
): Promise<void> {
  for (const directory of directories) {
    const gone = pathBelow(targetDir, `.odcs-${id}.${randomBytes(4).toString('hex')}.old`);
    try {
      await rename(directory, gone);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
      throw error;
    }
    await rm(gone, { recursive: true, force: true });
  }
}

/** Which compose an entry of a target directory belongs to, and whether it is on its way in or out. */
export function readEntryName(entry: string): { id: number; hidden: 'building' | 'gone' | null } | null {
  const shown = shownName.exec(entry);
  if (shown !== null) return { id: Number(shown[1] ?? shown[2]), hidden: null };
  const hidden = hiddenName.exec(entry);
  if (hidden === null) return null;
  return { id: Number(hidden[1]), hidden: hidden[2] === 'building' ? 'building' : 'gone' };
}

/** Returns the directory of a compose, as people see it. */
export function publishedDirectory(targetDir: string, id: number): string {
  return pathBelow(targetDir, `odcs-${id}`);
}

/** Whether the directory of a compose is there. */
export function isPublished(targetDir: string, id: number): boolean {
  return existsSync(pathBelow(publishedDirectory(targetDir, id), 'STATUS'));
}

/**
 * Makes what an attempt built the compose, by one rename. Throws where a later attempt has taken it away, or shows its
 * own.
 */
export async function showBuilt(targetDir: string, held: BuildingAttempt): Promise<void> {
  await rename(buildingDirectory(targetDir, held), publishedDirectory(targetDir, held.id));
}

/** Points `latest-odcs-<id>-1`, the name old clients know, at the compose. */
export function linkLatest(targetDir: string, id: number): void {
  const made = pathBelow(targetDir, `.odcs-${id}.${randomBytes(4).toString('hex')}.old`);
  symlinkSync(`odcs-${id}`, made);
  renameSync(made, pathBelow(targetDir, `latest-odcs-${id}-1`));
}

/** Removes the directory and the link of a compose; first by a rename, so that nobody sees half of it. */
export async function unpublishCompose(targetDir: string, id: number): Promise<void> {
  const link = pathBelow(targetDir, `latest-odcs-${id}-1`);
  try {
    unlinkSync(link);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const published = publishedDirectory(targetDir, id);
  if (lstatSync(published, { throwIfNoEntry: false }) === undefined) return;
  const gone = pathBelow(targetDir, `.odcs-${id}.removed`);
  await rm(gone, { recursive: true, force: true });
  renameSync(published, gone);
  await rm(gone, { recursive: true, force: true });
}

import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { z } from 'zod';

/** File of a target directory that says whose it is. */
export const MARKER = '.service.json';

const MOST_BYTES = 4096;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

const marker = z.object({ service: z.string() });

/**
 * Returns the id of the service that a target directory belongs to; null where it has no marker, `unreadable` where
 * that is none of ours. Throws what the file system throws, `ENOENT` excepted.
 */
export async function readMarker(directory: string): Promise<string | null> {
  let text: string;
  try {
    const file = await open(`${directory}/${MARKER}`, READ);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
      text = buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    return marker.parse(JSON.parse(text)).service;
  } catch {
    return 'unreadable';
  }
}

/** Makes a target directory that of a service. Of two that do it at once the first wins; the marker tells which. */
export async function writeMarker(directory: string, service: string): Promise<void> {
  try {
    await writeNew(`${directory}/${MARKER}`, service);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** The same where another service, or none, has it by now. */
export async function replaceMarker(directory: string, service: string): Promise<void> {
  const made = `${directory}/${MARKER}.${service}.${process.pid}`;
  await writeNew(made, service);
  await rename(made, `${directory}/${MARKER}`);
}

async function writeNew(path: string, service: string): Promise<void> {
  const file = await open(path, NEW_FILE, 0o644);
  try {
    await file.writeFile(`${JSON.stringify({ service })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

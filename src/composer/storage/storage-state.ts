import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { readMarker } from './storage-marker.ts';

/** How much room a file system has. */
export interface StorageRoom {
  readonly bytesFree: number;
  /** Null where the file system does not count them. */
  readonly inodesFree: number | null;
}

/** How a target directory was found. */
export type StorageState =
  | ({ readonly kind: 'well' } & StorageRoom)
  | ({ readonly kind: 'full' } & StorageRoom)
  | ({ readonly kind: 'read_only' } & StorageRoom)
  /** Its marker is not there: nothing is mounted at its place. */
  | { readonly kind: 'unmounted' }
  | { readonly kind: 'foreign'; readonly owner: string }
  | { readonly kind: 'broken'; readonly why: string };

/** Less than this many bytes is a full file system: one block. */
const LEAST_BYTES = 4096;

/** Looks at a target directory of a service. Never throws. */
export async function lookAtStorage(directory: string, service: string): Promise<StorageState> {
  try {
    const owner = await readMarker(directory);
    if (owner === null) return { kind: 'unmounted' };
    if (owner !== service) return { kind: 'foreign', owner };
    const { bavail, bsize, files, ffree } = await statfs(directory);
    const room = { bytesFree: bavail * bsize, inodesFree: files === 0 ? null : ffree };
    if (!(await isWritable(directory))) return { kind: 'read_only', ...room };
    const isFull = room.bytesFree < LEAST_BYTES || room.inodesFree === 0;
    return { kind: isFull ? 'full' : 'well', ...room };
  } catch (error) {
    return { kind: 'broken', why: messageOf(error) };
  }
}

async function isWritable(directory: string): Promise<boolean> {
  try {
    await access(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with the target directory of a name, as one sentence; null where nothing is. */
export function storageTrouble(name: string, state: StorageState): string | null {
  const called = `The target directory "${name}"`;
  switch (state.kind) {
    case 'well':
      return null;
    case 'full':
      return state.inodesFree === 0 ? `${called} has no inodes left.` : `${called} is full.`;
    case 'read_only':
      return `${called} cannot be written.`;
    case 'unmounted':
      return `${called} is not mounted.`;
    case 'foreign':
      return `${called} belongs to another service by now.`;
    case 'broken':
      return `${called} cannot be read.`;
    default:
      return state satisfies never;
  }
}

/** The error for composes that cannot be made meanwhile. */
export function storageError(trouble: string): ReactorError {
  return new ReactorError('storage.not_ready', trouble, {
    hint: 'The compose goes on once the storage is well.',
    fate: 'retry',
  });
}

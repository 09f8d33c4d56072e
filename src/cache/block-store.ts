import { basename } from 'node:path';
import { ReactorError } from '../model/errors.ts';
import type { BlockStore } from '../rpm/repodata/block-cache.ts';
import { PackStore } from './pack-store.ts';
import { removeOldFormats } from './remove-old-formats.ts';

/** Raised when what lies in the files of the store is written otherwise; the name of its directory ends with it. */
const FORMAT = 2;
const LIMIT = 2 * 1024 * 1024 * 1024;

/** Packed blocks of repodata on disk, at most 2 GiB of them, the oldest dropped first. */
export function openBlockStore(directory: string, now: Date): BlockStore & { close(): void } {
  const place = `${directory}-${FORMAT}`;
  const store = new PackStore(place, { limit: LIMIT, now });
  removeOldFormats(place, basename(directory), now);
  const word = (key: string) => key.replaceAll(' ', '/');
  return {
    get: (key) => {
      const entry = store.entry(word(key));
      if (!entry) return undefined;
      const bytes = readBlock(store, word(key));
      return bytes && { bytes, openSize: Number(entry.meta) };
    },
    put: (key, { bytes, openSize }) => store.put(word(key), String(openSize), [bytes]),
    close: () => store.close(),
  };
}

function readBlock(store: PackStore, key: string): Uint8Array | undefined {
  try {
    return store.read(key, 0, 1)[0];
  } catch (error) {
    if (error instanceof ReactorError) return undefined;
    throw error;
  }
}

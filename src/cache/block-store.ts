import { ReactorError } from '../model/errors.ts';
import type { BlockStore } from '../rpm/repodata/block-cache.ts';
import { cachePlace, removeOldFormats, type CacheMaking } from './cache-place.ts';
import { PackStore } from './pack-store.ts';

const making: CacheMaking = { name: 'blocks', format: 2, isOfRecipe: false };
const LIMIT = 2 * 1024 * 1024 * 1024;

/** Opens the packed blocks of repodata on disk in a directory, at most 2 GiB of them, the oldest dropped first. */
export async function openBlockStore(directory: string, now: Date): Promise<BlockStore & { close(): void }> {
  const store = await PackStore.open(cachePlace(directory, making), { limit: LIMIT, now });
  removeOldFormats(directory, making, now);
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

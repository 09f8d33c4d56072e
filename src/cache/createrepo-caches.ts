import { join } from 'node:path';
import type { CreaterepoCaches } from '../rpm/createrepo/createrepo.ts';
import { openBlockStore } from './block-store.ts';
import { FRAGMENTS_LIMIT, openFragmentCache } from './fragment-cache.ts';

/** Opens, or makes, what `createrepo` keeps from run to run, in a directory of its own. Dispose of it when done. */
export function openCreaterepoCaches(directory: string, now: Date): CreaterepoCaches & Disposable {
  const fragments = openFragmentCache(join(directory, 'packages'), { limit: FRAGMENTS_LIMIT, now });
  const blocks = openBlockStore(join(directory, 'blocks'), now);
  return {
    fragments,
    blocks,
    [Symbol.dispose]() {
      fragments.close();
      blocks.close();
    },
  };
}

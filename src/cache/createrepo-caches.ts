import type { CreaterepoCaches } from '../rpm/createrepo/createrepo.ts';
import { openBlockStore } from './block-store.ts';
import { FRAGMENTS_LIMIT, openFragmentCache } from './fragment-cache.ts';

/** Opens, or makes, what `createrepo` keeps from run to run, in a directory of its own. Dispose of it when done. */
export async function openCreaterepoCaches(
  directory: string,
  now: Date,
): Promise<CreaterepoCaches & Disposable> {
  const fragments = await openFragmentCache(directory, { limit: FRAGMENTS_LIMIT, now });
  const blocks = await openBlockStore(directory, now);
  return {
    fragments,
    blocks,
    [Symbol.dispose]() {
      fragments.close();
      blocks.close();
    },
  };
}

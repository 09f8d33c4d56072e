import type { CacheRegistry } from '../../cache/cache-registry.ts';
import { FragmentKeeper } from '../repositories/fragment-keeper.ts';
import { SelectedLists } from '../gather/selected-lists.ts';
import { KnownTrees } from '../main/known-trees.ts';
import { RepositoryCache } from '../repositories/repository-cache.ts';
import type { MainResources } from './select-definition.ts';

/** Indexes of main composes are large, and one compose has one. */
const INDEXES_KEPT = 2;

/** Returns what the inputs of main composes are read with, what is kept from one compose to the next among it. */
export function openMainResources({
  caches,
  ...opened
}: Omit<MainResources, 'repositories' | 'fragments' | 'trees' | 'lists'> & {
  readonly caches: Pick<CacheRegistry, 'register'>;
}): MainResources {
  const { readUrl } = opened;
  return {
    ...opened,
    repositories: caches.register(new RepositoryCache({ most: INDEXES_KEPT, readUrl })),
    fragments: caches.register(new FragmentKeeper()),
    trees: new KnownTrees(),
    lists: new SelectedLists(),
  };
}

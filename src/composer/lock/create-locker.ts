import { LRUCache } from 'lru-cache';
import type { CacheRegistry } from '../../cache/cache-registry.ts';
import type { Compose } from '../../model/compose-json.ts';
import { composeDirectoryName } from '../../model/compose.ts';
import type { LockRequest } from '../../model/lock-request.ts';
import type { LockFile } from '../../rpm/lock-file.ts';
import { pathBelow } from '../pen.ts';
import { RepositoryCache } from '../repositories/repository-cache.ts';
import { lockCompose } from './lock-compose.ts';

/** Where a lock file says that the files of a compose lie. */
export interface LockAddress {
  /** Public URL of the compose's directory, without a final slash. */
  readonly url: string;
  readonly repoid: string;
}

/** Makes the lock file of a compose of the default target directory. */
export type Locker = (
  asked: { readonly compose: Compose; readonly address: LockAddress; readonly request: LockRequest },
  signal: AbortSignal,
) => Promise<LockFile>;

/** Repositories whose index is kept: a compose of four arches has five that are read. */
const REPOSITORIES_KEPT = 16;

/** Opens what makes lock files: what was read once is kept, so that the next answer takes milliseconds. */
export function createLocker({
  targetDir,
  caches,
}: {
  readonly targetDir: string;
  readonly caches: Pick<CacheRegistry, 'register'>;
}): Locker {
  const repositories = caches.register(new RepositoryCache({ most: REPOSITORIES_KEPT }));
  const artifacts = new LRUCache<string, ReadonlySet<string>>({ max: REPOSITORIES_KEPT });
  caches.register({
    measure: () => [{ name: 'modules of repositories', entries: artifacts.size, bytes: null }],
  });
  return ({ compose, address, request }, signal) =>
    lockCompose(
      { repositories, artifacts, signal },
      {
        ...address,
        id: compose.id,
        directory: pathBelow(targetDir, composeDirectoryName(compose)),
        arches: compose.arches.split(' ').filter((arch) => arch !== ''),
      },
      request,
    );
}

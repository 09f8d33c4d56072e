import type { Clock } from '../clock.ts';
import type { FetchPolicy } from '../upstream/http/fetch-policy.ts';
import type { TlsIdentity } from '../upstream/http/http-client.ts';
import type { HttpPeer } from '../upstream/http/http-failure.ts';
import { HttpFiles } from '../upstream/http/http-files.ts';
import { fetchPackages } from './fetch-packages.ts';
import type { PackageStore } from '../cache/package-store.ts';
import type { SourcePackage } from './selection.ts';
import { kojiFilesPeer } from './koji/koji-http-files.ts';
import type { KojiFileServer } from './koji/open-koji.ts';

/** Brings packages that lie behind HTTP into the store, and knows the way there. */
export interface OriginFetcher extends Disposable {
  /** A path on this machine of the package's bytes, verified. Throws what `fetchPackages` throws. */
  localPathOf(rpm: SourcePackage, signal?: AbortSignal): Promise<string>;
}

export interface OriginFetcherOptions {
  readonly store: PackageStore;
  readonly clock: Clock;
  readonly policy: FetchPolicy;
  /** The file servers of the configured Kojis: whom errors name, and how they are trusted. */
  readonly kojiServers: readonly KojiFileServer[];
}

const repositoryPeer: HttpPeer = {
  name: 'The repository',
  codes: {
    unreachable: 'repo.files_unreachable',
    refused: 'repo.files_refused',
    missing: 'repo.file_missing',
  },
  mayAppear: true,
  hints: { missing: 'It was removed while the repository was read, or the metadata are to be made again.' },
};

/** Opens a fetcher; connections to each server are kept until it is disposed of. */
export function openOriginFetcher({
  store,
  clock,
  policy,
  kojiServers,
}: OriginFetcherOptions): OriginFetcher {
  const tlsOf = new Map(kojiServers.map(({ topUrl, tls }) => [new URL(topUrl).origin, tls]));
  const tls = (origin: string): TlsIdentity | undefined => tlsOf.get(origin);
  const tops = kojiServers.map(({ topUrl }) => `${topUrl.replace(/\/+$/, '')}/`);
  const open = (peer: HttpPeer): HttpFiles => new HttpFiles({ peer, policy, tls });
  const ofKoji = open(kojiFilesPeer);
  const ofRepositories = open(repositoryPeer);
  return {
    async localPathOf({ origin, size }, signal) {
      if (origin.kind === 'file') return origin.path;
      signal?.throwIfAborted();
      const isOfKoji = tops.some((top) => origin.url.startsWith(top));
      const [stored] = await fetchPackages(
        {
          http: isOfKoji ? ofKoji : ofRepositories,
          store,
          now: clock.now(),
          ...(signal === undefined ? {} : { signal }),
        },
        // Metadata that say nothing of the size say 0.
        [{ url: origin.url, digest: origin.sha256, size: size === 0 ? null : size }],
      );
      if (stored === undefined) throw new Error(`nothing was fetched from ${origin.url}`);
      return stored.path;
    },
    [Symbol.dispose]() {
      ofKoji.close();
      ofRepositories.close();
    },
  };
}

import type { Clock } from '../clock.ts';
import type { PackageStore } from './package-store.ts';
import type { SourcePackage } from './selection.ts';
import { fetchPackages } from './sources/koji-fetch.ts';
import { openHttpFiles, type KojiHttpFiles } from './sources/koji-http-files.ts';

/** Brings packages that lie behind HTTP into the store, and knows the way there. */
export interface OriginFetcher extends Disposable {
  /** A path on this machine of the package's bytes, verified. Throws what `fetchPackages` throws. */
  localPathOf(one: SourcePackage, signal?: AbortSignal): Promise<string>;
}

/** Opens a fetcher; connections to each server are kept until it is disposed of. */
export function openOriginFetcher(context: {
  readonly store: PackageStore;
  readonly clock: Clock;
  /** PEM of the authorities to trust, by the origin of the server; those of the system otherwise. */
  readonly authorities?: ReadonlyMap<string, string>;
}): OriginFetcher {
  const servers = new Map<string, KojiHttpFiles>();
  const serverOf = (origin: string): KojiHttpFiles => {
    const authorities = context.authorities?.get(origin);
    const trust = authorities === undefined ? {} : { authorities };
    const known = servers.get(origin) ?? openHttpFiles({ topUrl: origin, ...trust });
    servers.set(origin, known);
    return known;
  };
  return {
    async localPathOf({ origin, size }, signal) {
      if (origin.kind === 'file') return origin.path;
      signal?.throwIfAborted();
      const url = new URL(origin.url);
      const path = decodeURIComponent(url.pathname).replace(/^\/+/, '');
      const wanted = [{ path, digest: origin.sha256, size }];
      const [stored] = await fetchPackages(
        {
          files: serverOf(url.origin),
          store: context.store,
          now: context.clock.now(),
          ...(signal === undefined ? {} : { signal }),
        },
        wanted,
      );
      if (stored === undefined) throw new Error(`nothing was fetched from ${origin.url}`);
      return stored.path;
    },
    [Symbol.dispose]() {
      for (const server of servers.values()) server.close();
      servers.clear();
    },
  };
}

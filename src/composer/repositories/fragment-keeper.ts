import { LRUCache } from 'lru-cache';
import type { Cache, CacheSize } from '../../cache/cache-registry.ts';
import { pkgidOfContent } from '../../model/content-id.ts';
import type { PackageFragments } from '../../rpm/package-fragments.ts';
import { readFragments } from '../../rpm/repodata/read-fragments.ts';
import type { Repository } from '../../rpm/repodata/read-repository.ts';
import type { SourcePackage } from '../selection.ts';

const DEFAULT_BYTES = 256 * 1024 * 1024;
/** What an entry takes besides its metadata. */
const ENTRY_BYTES = 200;

/**
 * Keeps the metadata of packages that were cut out of repositories, by repository and the digest of the package, so that a
 * compose that differs little from the one before reads little. Least recently used ones are dropped beyond
 * `bytes`.
 */
export class FragmentKeeper implements Cache {
  readonly #kept: LRUCache<string, PackageFragments>;

  constructor(bytes = DEFAULT_BYTES) {
    this.#kept = new LRUCache({ maxSize: bytes, sizeCalculation: sizeOf });
  }

  measure(): readonly CacheSize[] {
    const { size, calculatedSize } = this.#kept;
    return [{ name: 'packages of repositories', entries: size, bytes: calculatedSize }];
  }

  /** The metadata of packages, in their order; what is not kept is read from the package's repository. */
  async load(
    wanted: readonly SourcePackage[],
    repositoryOf: (rpm: SourcePackage) => Repository,
  ): Promise<readonly PackageFragments[]> {
    const found = new Map<string, PackageFragments>();
    const missing = new Map<Repository, string[]>();
    const keys = wanted.map((rpm) => {
      const repository = repositoryOf(rpm);
      const pkgid = pkgidOf(rpm);
      const key = keyOf(repository, pkgid);
      const kept = this.#kept.get(key);
      if (kept !== undefined) found.set(key, kept);
      else {
        const known = missing.get(repository);
        if (known === undefined) missing.set(repository, [pkgid]);
        else known.push(pkgid);
      }
      return key;
    });
    for (const [repository, pkgids] of missing) {
      for (const [pkgid, fragments] of await readFragments(repository, pkgids)) {
        const key = keyOf(repository, pkgid);
        found.set(key, fragments);
        this.#kept.set(key, fragments);
      }
    }
    return keys.map((key, at) => {
      const fragments = found.get(key);
      if (fragments === undefined) throw new Error(`no metadata for ${wanted[at]?.fileName ?? key}`);
      return fragments;
    });
  }
}

/** What one repository says of a package is not taken for what another one says. */
function keyOf({ location }: Repository, pkgid: string): string {
  return `${pkgid} ${location}`;
}

function pkgidOf({ payload }: SourcePackage): string {
  return pkgidOfContent(payload);
}

function sizeOf({ primary, filelists, other }: PackageFragments): number {
  return primary.byteLength + filelists.byteLength + other.byteLength + ENTRY_BYTES;
}

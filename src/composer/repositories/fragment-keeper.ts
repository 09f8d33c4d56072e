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
 * Keeps the metadata of packages that were cut out of repositories, by the digest of the package, so that a
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
    repositoryOf: (one: SourcePackage) => Repository,
  ): Promise<readonly PackageFragments[]> {
    const found = new Map<string, PackageFragments>();
    const missing = new Map<Repository, string[]>();
    for (const one of wanted) {
      const pkgid = pkgidOf(one);
      const kept = this.#kept.get(pkgid);
      if (kept !== undefined) found.set(pkgid, kept);
      else {
        const repository = repositoryOf(one);
        const known = missing.get(repository);
        if (known === undefined) missing.set(repository, [pkgid]);
        else known.push(pkgid);
      }
    }
    for (const [repository, pkgids] of missing) {
      for (const [pkgid, fragments] of await readFragments(repository, pkgids)) {
        found.set(pkgid, fragments);
        this.#kept.set(pkgid, fragments);
      }
    }
    return wanted.map((one) => {
      const fragments = found.get(pkgidOf(one));
      if (fragments === undefined) throw new Error(`no metadata for ${one.fileName}`);
      return fragments;
    });
  }
}

function pkgidOf({ payload }: SourcePackage): string {
  return pkgidOfContent(payload);
}

function sizeOf({ primary, filelists, other }: PackageFragments): number {
  return primary.byteLength + filelists.byteLength + other.byteLength + ENTRY_BYTES;
}

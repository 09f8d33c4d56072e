import type { PackageFragments } from '../../rpm/package-fragments.ts';
import { readFragments } from '../../rpm/repodata/read-fragments.ts';
import type { Repository } from '../../rpm/repodata/read-repository.ts';
import type { SourcePackage } from '../selection.ts';

const DEFAULT_BYTES = 256 * 1024 * 1024;

/**
 * Keeps the metadata of packages that were cut out of repositories, by the digest of the package, so that a
 * compose that differs little from the one before reads little. Least recently used ones are dropped beyond
 * `bytes`.
 */
export class FragmentKeeper {
  readonly #kept = new Map<string, PackageFragments>();
  readonly #most: number;
  #bytes = 0;

  constructor(bytes = DEFAULT_BYTES) {
    this.#most = bytes;
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
      if (kept === undefined) {
        const repository = repositoryOf(one);
        const known = missing.get(repository);
        if (known === undefined) missing.set(repository, [pkgid]);
        else known.push(pkgid);
      } else {
        found.set(pkgid, kept);
        this.#kept.delete(pkgid);
        this.#kept.set(pkgid, kept);
      }
    }
    for (const [repository, pkgids] of missing) {
      for (const [pkgid, fragments] of await readFragments(repository, pkgids)) {
        found.set(pkgid, fragments);
        this.#keep(pkgid, fragments);
      }
    }
    return wanted.map((one) => {
      const fragments = found.get(pkgidOf(one));
      if (fragments === undefined) throw new Error(`no metadata for ${one.fileName}`);
      return fragments;
    });
  }

  #keep(pkgid: string, fragments: PackageFragments): void {
    if (this.#kept.has(pkgid)) return;
    this.#kept.set(pkgid, fragments);
    this.#bytes += sizeOf(fragments);
    for (const [old, dropped] of this.#kept) {
      if (this.#bytes <= this.#most) break;
      this.#kept.delete(old);
      this.#bytes -= sizeOf(dropped);
    }
  }
}

function pkgidOf(one: SourcePackage): string {
  return one.payload.slice(one.payload.indexOf(':') + 1);
}

function sizeOf({ primary, filelists, other }: PackageFragments): number {
  return primary.byteLength + filelists.byteLength + other.byteLength + 200;
}

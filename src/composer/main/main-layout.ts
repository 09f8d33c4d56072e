import type { ProductmdPaths } from '../../rpm/productmd-release.ts';
import type { Variant } from './variants.ts';

/** Where one kind of packages of a variant lies, relative to `compose/`. */
export interface TreePlace {
  readonly tree: string;
  /** What holds `repodata`. */
  readonly repository: string;
  readonly packages: string;
}

export type PackageKind = 'binary' | 'debug' | 'source';

/**
 * The places of an arch of a variant. Addons lie in the trees of their parents, in a repository of their own.
 * Source: main compose contract 7.
 */
export function placesOf(variant: Variant, arch: string): Readonly<Record<PackageKind, TreePlace>> {
  const isAddon = variant.type === 'addon' && variant.parent !== null;
  const top = isAddon ? (variant.parent ?? variant.uid) : variant.uid;
  const place = (tree: string): TreePlace => {
    const repository = isAddon ? `${tree}/addons/${variant.id}` : tree;
    return { tree, repository, packages: isAddon ? repository : `${tree}/Packages` };
  };
  return {
    binary: place(`${top}/${arch}/os`),
    debug: place(`${top}/${arch}/debug/tree`),
    source: place(`${top}/source/tree`),
  };
}

/** Where an RPM file lies: with hashed directories below the first letter of its name. */
export function pathOfRpm(place: TreePlace, fileName: string, areHashed: boolean): string {
  const letter = areHashed ? `${fileName.charAt(0).toLowerCase()}/` : '';
  return `${place.packages}/${letter}${fileName}`;
}

const pathNames = { binary: 'os', debug: 'debug', source: 'source' } as const;

/** The paths of a variant as composeinfo has them; none for an empty one. */
export function productmdPathsOf(variant: Variant): ProductmdPaths {
  const paths: Record<string, Record<string, string>> = {};
  if (variant.isEmpty) return paths;
  for (const arch of variant.arches) {
    for (const [kind, place] of Object.entries(placesOf(variant, arch))) {
      const name = kind === 'debug' || kind === 'source' ? pathNames[kind] : pathNames.binary;
      const prefix = name === 'os' ? '' : `${name}_`;
      const entries = {
        [`${name}_tree`]: place.tree,
        [`${prefix}repository`]: place.repository,
        [`${prefix}packages`]: place.packages,
      };
      for (const [key, path] of Object.entries(entries)) {
        const byArch = (paths[key] ??= {});
        byArch[arch] = path;
      }
    }
  }
  return paths;
}

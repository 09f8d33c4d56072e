import type { ProductmdProduct } from './productmd-release.ts';

/** A variant of a compose, as its metadata name it. Source: pungi contract 4, main compose contract 7 and 8. */
export interface ProductmdVariant {
  /** Names its directory: `Temporary`, `Server-optional`. */
  readonly uid: string;
  /** The last part of the uid for a variant of a variant, else the uid; without dashes. */
  readonly id: string;
  readonly name: string;
  readonly type: 'variant' | 'optional' | 'addon' | 'layered-product';
  /** Uid of the parent. */
  readonly parent: string | null;
  /** Of a layered product. */
  readonly release: Omit<ProductmdProduct, 'type'> | null;
  /** The arches of a variant that has no trees; none where it has some. */
  readonly emptyArches: readonly string[];
  /** What `.discinfo` calls its trees, by arch (`src` for sources); the release where an arch is missing. */
  readonly descriptions: Readonly<Record<string, string>>;
}

/** The release that a compose is of, as its metadata name it. Source: main compose contract 8. */
export interface ProductmdRelease extends ProductmdProduct {
  readonly isInternal: boolean;
  /** What the release is layered on. */
  readonly baseProduct: ProductmdProduct | null;
  /** Stands in `.treeinfo` for the version. */
  readonly treeinfoVersion: string | null;
}

/** A variant with the arches that it has a tree for. */
export interface VariantArches extends ProductmdVariant {
  readonly arches: readonly string[];
}

/** Where one kind of packages of a variant lies, relative to `compose/`. */
export interface TreePlace {
  readonly tree: string;
  /** What holds `repodata`. */
  readonly repository: string;
  readonly packages: string;
}

/** The places of one arch of a variant; sources are those of all arches. */
export type TreePlaces = Readonly<Record<'binary' | 'debug' | 'source', TreePlace>>;

/** What says where the trees of a variant lie. */
export type PlacedVariant = Pick<ProductmdVariant, 'uid' | 'type' | 'parent'>;

/**
 * Returns where an arch of a variant lies. Addons lie in the trees of their parents, in a repository of their own.
 * Source: pungi contract 4, main compose contract 7.
 */
export function treePlaces({ uid, type, parent }: PlacedVariant, arch: string): TreePlaces {
  const isAddon = type === 'addon' && parent !== null;
  const top = isAddon ? parent : uid;
  const place = (tree: string): TreePlace => {
    const repository = isAddon ? `${tree}/${addonDirectory(uid, parent)}` : tree;
    return { tree, repository, packages: isAddon ? repository : `${tree}/Packages` };
  };
  return {
    binary: place(`${top}/${arch}/os`),
    debug: place(`${top}/${arch}/debug/tree`),
    source: place(`${top}/source/tree`),
  };
}

/** Returns where an addon lies in the trees of its parent: `addons/HighAvailability`. */
export function addonDirectory(uid: string, parent: string): string {
  return `addons/${uid.slice(parent.length + 1)}`;
}

/** Returns the paths of a variant as composeinfo has them: kind of path to arch. */
export function productmdPathsOf(variant: VariantArches): Record<string, Record<string, string>> {
  const paths: Record<string, Record<string, string>> = {};
  for (const arch of variant.arches) {
    const { binary, debug, source } = treePlaces(variant, arch);
    const entries = {
      os_tree: binary.tree,
      repository: binary.repository,
      packages: binary.packages,
      debug_tree: debug.tree,
      debug_repository: debug.repository,
      debug_packages: debug.packages,
      source_tree: source.tree,
      source_repository: source.repository,
      source_packages: source.packages,
    };
    for (const [key, path] of Object.entries(entries)) (paths[key] ??= {})[arch] = path;
  }
  return paths;
}

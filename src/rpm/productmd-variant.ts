/** A variant of a compose, as its metadata name it. Source: pungi contract 4. */
export interface ProductmdVariant {
  /** Names its directory: `Temporary`, `Server-optional`. */
  readonly uid: string;
  /** The last part of the uid for a variant of a variant, else the uid. */
  readonly id: string;
  readonly name: string;
  readonly type: 'variant' | 'optional' | 'addon' | 'layered-product';
}

/** The release that a compose is of, as its metadata name it. Source: main compose contract 8. */
export interface ProductmdRelease {
  readonly name: string;
  readonly short: string;
  readonly version: string;
  /** `ga`, `updates`, `eus` … */
  readonly type: string;
  readonly isInternal: boolean;
}

/** A variant with the arches that it has a tree for. */
export interface VariantArches extends ProductmdVariant {
  readonly arches: readonly string[];
}

/** The directories of one arch of a variant, relative to `compose/`; sources are those of all arches. */
export interface TreePaths {
  readonly binary: string;
  readonly debug: string;
  readonly source: string;
}

/** Returns where the trees of a variant and an arch lie. Source: pungi contract 4. */
export function treePaths(uid: string, arch: string): TreePaths {
  return { binary: `${uid}/${arch}/os`, debug: `${uid}/${arch}/debug/tree`, source: `${uid}/source/tree` };
}

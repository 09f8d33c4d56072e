/** Whether a uid is that of what a compose has beside its variants: nothing else may claim the path. */
export function isReservedUid(uid: string): boolean {
  return uid === 'metadata';
}

/** Whether trees of binary packages may be of an arch. */
export function isTreeArch(arch: string): boolean {
  return !['src', 'nosrc', 'noarch'].includes(arch);
}

/** What a variant is to its parent. */
export type VariantType = 'variant' | 'addon' | 'optional' | 'layered-product';

/** A group a variant takes from comps. */
export interface VariantGroup {
  readonly name: string;
  /** The name is a glob. */
  readonly isGlob: boolean;
  /** What it overrides in comps; null leaves it. */
  readonly isDefault: boolean | null;
  readonly isUservisible: boolean | null;
}

export interface VariantEnvironment {
  readonly name: string;
  readonly displayOrder: number | null;
}

/** The release of a layered product. */
export interface VariantRelease {
  readonly name: string;
  readonly short: string;
  readonly version: string;
}

/** A variant of a main compose. Source: main compose contract 3. */
export interface Variant {
  /** As the file writes it; metadata leave its dashes out. */
  readonly id: string;
  readonly name: string;
  /** `<uid of the parent>-<id>`. */
  readonly uid: string;
  readonly type: VariantType;
  /** Sorted. */
  readonly arches: readonly string[];
  readonly groups: readonly VariantGroup[];
  readonly environments: readonly VariantEnvironment[];
  /** Patterns of modules; null without the element, which is something else than none. */
  readonly modules: readonly string[] | null;
  readonly moduleTags: readonly string[];
  /** It has no trees. */
  readonly isEmpty: boolean;
  readonly buildinstallPackages: readonly string[];
  readonly release: VariantRelease | null;
  /** Uid of the parent. */
  readonly parent: string | null;
  /** Uids of the children, in the order of the file. */
  readonly children: readonly string[];
}

const ranks: Readonly<Record<VariantType, number>> = {
  variant: 0,
  addon: 1,
  'layered-product': 1,
  optional: 2,
};

/** Orders variants by type, then uid. Source: main compose contract 3. */
export function compareVariants(left: Variant, right: Variant): number {
  return ranks[left.type] - ranks[right.type] || (left.uid < right.uid ? -1 : left.uid > right.uid ? 1 : 0);
}

/** Every variant, children included, by uid. */
export type Variants = ReadonlyMap<string, Variant>;

/** The variant of a uid that another one names. */
export function variantOf(variants: Variants, uid: string): Variant {
  const variant = variants.get(uid);
  if (variant === undefined) throw new Error(`there is no variant ${uid}`);
  return variant;
}

/** The arches of a compose: those of any of its variants, sorted. */
export function archesOfVariants(variants: Variants): string[] {
  return [...new Set([...variants.values()].flatMap((variant) => variant.arches))].sort();
}

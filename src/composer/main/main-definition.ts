import type { ImageTask } from '../../model/image-task.ts';
import type { XmlNode } from '../../rpm/xml-tree.ts';
import type { MultilibMethod } from '../gather/multilib-methods.ts';
import type { Greedy } from '../gather/providers.ts';
import type { Variants } from './variants.ts';

/** A product: the release of a compose, or what it is layered on. */
export interface Product {
  readonly name: string;
  readonly short: string;
  readonly version: string;
  /** `ga`, `updates`, `eus` … */
  readonly type: string;
}

export interface MainRelease extends Product {
  readonly isInternal: boolean;
  /** What `.discinfo` says, with `%(variant_name)s` and `%(arch)s`; null for name and version. */
  readonly discinfoDescription: string | null;
  /** Stands in `.treeinfo` for the version. */
  readonly treeinfoVersion: string | null;
}

/** Where the packages come from. Source: main compose contract 5. */
export type PackageInput =
  | {
      readonly kind: 'koji';
      readonly profile: string | null;
      readonly event: number | null;
      readonly tags: readonly string[];
      /** NVRs that are added to each tag. */
      readonly builds: readonly string[];
      readonly scratchTasks: readonly number[];
      readonly isInherited: boolean;
      readonly moduleTags: readonly string[];
      readonly areModulesInherited: boolean;
      /** Further `name:stream:version:context` by uid; they replace others of their stream. */
      readonly moduleBuilds: ReadonlyMap<string, readonly string[]>;
    }
  | {
      readonly kind: 'repositories';
      /** Locations by tree arch. */
      readonly locations: ReadonlyMap<string, readonly string[]>;
    }
  | {
      readonly kind: 'composes';
      /** Series of this service, and ids of composes. */
      readonly parts: readonly string[];
      /** The parts of variants that take from some only, by uid. */
      readonly partsOfVariants: ReadonlyMap<string, readonly string[]>;
    };

export type GatherMethod = 'deps' | 'nodeps';

/** What is gathered for a variant, one after the other. */
export const gatherSources = ['module', 'comps', 'json'] as const;
export type GatherSource = (typeof gatherSources)[number];

/** A package that is asked for, of any arch or of one. */
export interface PackageWish {
  readonly name: string;
  readonly arch: string | null;
}

/** What a configuration says of one arch of a variant. */
export interface VariantArchSettings {
  /** As written: `name`, `name.arch`, `name.+`. */
  readonly additionalPackages: readonly string[];
  readonly filterPackages: readonly string[];
  /** Globs `name[:stream]`. */
  readonly filterModules: readonly string[];
  readonly multilibMethods: readonly MultilibMethod[];
  /** Whether any multilib method is named, even `none`. */
  readonly hasMultilibEntry: boolean;
  readonly lookasideRepositories: readonly string[];
  /** Of the JSON mapping. */
  readonly mappedPackages: readonly PackageWish[];
  /** `name.arch` */
  readonly prepopulate: readonly string[];
  readonly repoclosure: 'off' | 'lenient' | 'fatal';
}

/** How the sources of a variant are gathered; null where none is configured. */
export type VariantMethods = Readonly<Record<GatherSource, GatherMethod | null>>;

/** Files that lie in a tree beside its packages. Source: main compose contract 7. */
export interface ExtraFiles {
  /** A glob of the package of the compose that has them, with `%(…)s`; null for files beside the definition. */
  readonly packageGlob: string | null;
  /** Their paths; globs where a package has them. */
  readonly files: readonly string[];
  readonly directories: readonly string[];
  /** The directory of the tree that they lie in; empty for its top. */
  readonly target: string;
}

/** By uid and arch, `src` for the tree of sources; later ones win. */
export type ExtraFilesByTree = ReadonlyMap<string, ReadonlyMap<string, readonly ExtraFiles[]>>;

/** Where product certificates are, and which names they may have. Source: main compose contract 7. */
export interface ProductCertificates {
  readonly directory: string;
  readonly isMissingFine: boolean;
  readonly isPrefixFine: boolean;
}

/** What a compose has beside its packages, by paths that are relative to the definition. Source: main compose contract 5 and 7. */
export interface BesideSources {
  /** Directories; null where there are none. */
  readonly moduleDefaults: string | null;
  readonly moduleDefaultOverrides: string | null;
  readonly moduleObsoletes: string | null;
  readonly productCertificates: ProductCertificates | null;
  /** Null where the definition does not speak of any: no list of them is written then. */
  readonly extraFiles: ExtraFilesByTree | null;
  /** The digests that the list of extra files tells. */
  readonly extraFileDigests: readonly string[];
}

/**
 * One main compose as plain data: everything that decides which packages lie in which tree. Made from a
 * definition file or from a configuration of Pungi; nothing in it knows of either.
 */
export interface MainDefinition {
  readonly release: MainRelease;
  readonly baseProduct: Product | null;
  readonly variants: Variants;
  readonly comps: XmlNode | null;
  readonly isFilteringEnvironments: boolean;
  readonly packages: PackageInput;
  /** Whether a noarch package whose ExclusiveArch names `noarch` is for every arch. */
  readonly isNoarchExclusive: boolean;
  /** Signing keys in order of preference; null for unsigned packages. */
  readonly sigkeys: readonly (string | null)[];
  /** One method for all variants and sources: unsigned packages that are not gathered are tolerated then. */
  readonly plainMethod: GatherMethod | null;
  /** By uid; a variant without methods is missing. */
  readonly methods: ReadonlyMap<string, VariantMethods>;
  readonly greedy: Greedy;
  readonly isFulltree: boolean;
  readonly isSelfhosting: boolean;
  readonly isCheckingDependencies: boolean;
  /** By tree arch. */
  readonly multilibWhitelist: ReadonlyMap<string, readonly string[]>;
  readonly multilibBlacklist: ReadonlyMap<string, readonly string[]>;
  /** Pairs of uids: whose packages the first does not ship again. */
  readonly variantLookasides: readonly (readonly [user: string, provider: string])[];
  /** By uid and arch. */
  readonly settings: ReadonlyMap<string, ReadonlyMap<string, VariantArchSettings>>;
  /** What the JSON mapping asks for, whatever the variant, by tree arch. */
  readonly mappedPackages: ReadonlyMap<string, readonly PackageWish[]>;
  /** What prepopulation has, the same way. */
  readonly prepopulated: ReadonlyMap<string, readonly PackageWish[]>;
  readonly beside: BesideSources;
  /** Images that Koji makes of the compose. */
  readonly imageTasks: readonly ImageTask[];
  readonly output: MainOutput;
}

/** What shapes the files of a compose. Source: main compose contract 7. */
export interface MainOutput {
  readonly areDirectoriesHashed: boolean;
  readonly checksum: 'sha1' | 'sha256' | 'sha512';
  readonly skippedPhases: ReadonlySet<string>;
}

/** The settings of an arch of a variant. */
export function settingsOf(definition: MainDefinition, uid: string, arch: string): VariantArchSettings {
  const settings = definition.settings.get(uid)?.get(arch);
  if (settings === undefined) throw new Error(`there are no settings of ${uid}.${arch}`);
  return settings;
}

/** Returns whether 32-bit packages of an arch are seen: where one of the variants names a multilib method for it. Source: contract 6. */
export function hasMultilib(definition: MainDefinition, arch: string): boolean {
  return [...definition.settings.values()].some((arches) => arches.get(arch)?.hasMultilibEntry === true);
}

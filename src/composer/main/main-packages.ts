import type { Turns } from '../../in-turns.ts';
import { archListsOf } from '../../model/arches.ts';
import { formatNvra, isSourceArch } from '../../model/nevra.ts';
import type { ModuleStream } from '../../rpm/modulemd.ts';
import type { FileSource } from '../gather/complete-files.ts';
import type { GatherIndex } from '../gather/gather-index.ts';
import type { ArchRestrictions } from '../gather/gather-package-set.ts';
import { hasMultilib, type MainDefinition } from './main-definition.ts';

/** The packages of a tag, or of the repositories of a compose. */
export interface MainPackageSet {
  readonly name: string;
  /** Ids in the index, in the order of their reading. */
  readonly ids: readonly number[];
  /** Uids of the variants it is for, where it holds modules; null for all. */
  readonly variants: ReadonlySet<string> | null;
  /** Those of each arch, where that is known already; without it the packages tell. */
  readonly idsByArch?: ReadonlyMap<string, readonly number[]>;
}

/** A module as an arch of a variant has it. */
export interface VariantModule {
  readonly stream: ModuleStream;
  readonly kojiTag: string;
}

/** Everything a compose can gather from: one index for all arches and variants. */
export interface MainPackages {
  readonly index: GatherIndex;
  /** Where files beyond primary.xml can be read. */
  readonly files: readonly FileSource[];
  /** Those of modules first, then the tags in their order. */
  readonly sets: readonly MainPackageSet[];
  /** Numbers in the index of the lookaside repositories, by their location. */
  readonly lookasides: ReadonlyMap<string, number>;
  /** ExcludeArch and ExclusiveArch of a source package; null when nothing is known. */
  readonly archRestrictionsOf: (source: number) => ArchRestrictions | null;
  /** By uid and arch. */
  readonly modules: ReadonlyMap<string, ReadonlyMap<string, readonly VariantModule[]>>;
}

/** The part of a set that an arch may see. */
export interface ArchSubset {
  /** By package id: 1 for what is in it. */
  readonly visible: Uint8Array;
  readonly warnings: readonly string[];
}

/** Packages that are looked at before others may have their turn. */
const LOOKED_AT = 64;

/**
 * The part of a set for an arch: its own arches, 32-bit ones where any variant names a multilib method, noarch packages
 * that their sources do not exclude, and the sources of what is left. Source: pungi contract 2.3.
 */
export function* subsetOfArch(
  definition: MainDefinition,
  packages: MainPackages,
  set: MainPackageSet,
  arch: string,
): Turns<ArchSubset> {
  const { index } = packages;
  const lists = archListsOf(arch);
  const arches = new Set([...lists.native, ...(hasMultilib(definition, arch) ? lists.multilib : [])]);
  const native = lists.native.filter(
    (packageArch) => packageArch !== 'noarch' || definition.isNoarchExclusive,
  );
  const visible = new Uint8Array(index.count);
  yield;
  if (set.idsByArch !== undefined) {
    for (const id of set.idsByArch.get(arch) ?? []) {
      if (arches.has(index.archOf(id)) || index.isSource(id)) visible[id] = 1;
    }
    return { visible, warnings: [] };
  }
  const sources = set.ids.filter((id) => isSourceArch(index.archOf(id)));
  const byNvr = new Map(sources.map((id) => [index.columns.sourceNvr.at(id), id]));
  const sourceNames = new Set<string>();
  const warnings = new Set<string>();
  for (const [at, id] of set.ids.entries()) {
    if (at % LOOKED_AT === 0) yield;
    const own = index.archOf(id);
    if (!arches.has(own)) continue;
    if (own === 'noarch') {
      const source = byNvr.get(index.columns.sourceNvr.at(id));
      // What the restrictions are read of may be a file.
      yield;
      if (source === undefined) warnings.add(`Can't find a SRPM for ${formatNvra(index.nevraOf(id))}.rpm`);
      else if (!isAllowed(packages.archRestrictionsOf(source), native)) continue;
    }
    visible[id] = 1;
    const sourceRpm = index.sourceRpmOf(id);
    if (sourceRpm !== null) sourceNames.add(nameOfFile(sourceRpm));
  }
  for (const id of sources) if (sourceNames.has(index.nameOf(id))) visible[id] = 1;
  return { visible, warnings: [...warnings] };
}

function isAllowed(restrictions: ArchRestrictions | null, native: readonly string[]): boolean {
  if (restrictions === null) return true;
  const { excludeArch, exclusiveArch } = restrictions;
  if (excludeArch.some((arch) => native.includes(arch))) return false;
  return exclusiveArch.length === 0 || exclusiveArch.some((arch) => native.includes(arch));
}

/** The name in `name-version-release.src.rpm`. */
export function nameOfFile(sourceRpm: string): string {
  return sourceRpm.slice(0, sourceRpm.lastIndexOf('-', sourceRpm.lastIndexOf('-') - 1));
}

/** An RPM as a tag lists it. */
interface TaggedRpm {
  readonly name: string;
  readonly arch: string;
  /** Name of the package its build is of. */
  readonly packageName: string;
}

/**
 * The RPMs of a tag that a compose of the method "nodeps" reads: binaries first, those of wanted names and of names of
 * builds that one was read of before. Source: main compose contract 5.
 */
export function chooseWantedRpms<T extends TaggedRpm>(rpms: readonly T[], wanted: ReadonlySet<string>): T[] {
  const names = new Set(wanted);
  const ordered = [
    ...rpms.filter(({ arch }) => !isSourceArch(arch)),
    ...rpms.filter(({ arch }) => isSourceArch(arch)),
  ];
  return ordered.filter(({ name, packageName }) => {
    if (!names.has(name)) return false;
    names.add(packageName);
    return true;
  });
}

import { KeptWith } from '../../kept-with.ts';
import { archListsOf } from '../../model/arches.ts';
import { ReactorError } from '../../model/errors.ts';
import { compsOfTree, type CompsDocument } from '../../rpm/comps-document.ts';
import type { CompsLangpack } from '../../rpm/comps.ts';
import { settingsOf, type MainDefinition, type PackageWish } from './main-definition.ts';
import { compsOfArch, compsOfVariant } from './variant-comps.ts';
import { archesOfVariants, variantOf, type Variant } from './variants.ts';

/** What the source "comps" asks for in an arch of a variant. Source: main compose contract 6. */
export interface CompsInput {
  readonly groups: readonly string[];
  /** Mandatory, default and optional packages of the groups. */
  readonly groupPackages: readonly string[];
  readonly conditionals: readonly { readonly trigger: string; readonly install: string }[];
  readonly langpacks: readonly CompsLangpack[];
  /** Beside the groups. */
  readonly additional: readonly PackageWish[];
}

/** The comps of every arch of every variant, and what there is to say of them. */
export interface CompsOfVariants {
  /** By uid and arch; empty maps where the compose has no comps. */
  readonly byVariant: ReadonlyMap<string, ReadonlyMap<string, CompsDocument>>;
  readonly warnings: readonly string[];
}

/** Makes the comps of every arch of every variant. Throws `comps.package_type`. Source: main compose contract 4. */
export function makeVariantComps(definition: MainDefinition): CompsOfVariants {
  const { comps, variants, variantLookasides } = definition;
  const byVariant = new Map<string, Map<string, CompsDocument>>();
  const warnings: string[] = [];
  for (const variant of variants.values()) {
    const byArch = new Map<string, CompsDocument>();
    byVariant.set(variant.uid, byArch);
    if (comps === null) continue;
    const providers = variantLookasides.filter(([user]) => user === variant.uid).map(([, uid]) => uid);
    const others = variant.parent === null ? providers : [variant.parent, ...providers];
    const lookasideGroups = others.flatMap((uid) => variants.get(uid)?.groups ?? []);
    for (const arch of variant.arches) {
      const made = compsOfVariant(comps, variant, {
        arch,
        lookasideGroups,
        isFilteringEnvironments: definition.isFilteringEnvironments,
      });
      byArch.set(arch, made.comps);
      warnings.push(...made.warnings);
    }
  }
  return { byVariant, warnings };
}

const NO_INPUT: CompsInput = {
  groups: [],
  groupPackages: [],
  conditionals: [],
  langpacks: [],
  additional: [],
};

/** The input of an arch of a variant: its own, and of a child that of its parent and, for an optional, its siblings. */
export function inputOfVariant(
  definition: MainDefinition,
  comps: CompsOfVariants,
  variant: Variant,
  arch: string,
): CompsInput {
  const { variants } = definition;
  const inputs = [ownInput(definition, comps, variant, arch)];
  if (variant.parent !== null) {
    const parent = variantOf(variants, variant.parent);
    inputs.push(ownInput(definition, comps, parent, arch));
    const siblings = parent.children.map((uid) => variantOf(variants, uid));
    for (const sibling of variant.type === 'optional' ? siblings : []) {
      if (sibling.type === 'addon' || sibling.type === 'layered-product') {
        inputs.push(ownInput(definition, comps, sibling, arch));
      }
    }
  }
  return {
    groups: inputs.flatMap(({ groups }) => groups),
    groupPackages: inputs.flatMap(({ groupPackages }) => groupPackages),
    conditionals: inputs.flatMap(({ conditionals }) => conditionals),
    langpacks: inputs.flatMap(({ langpacks }) => langpacks),
    additional: inputs.flatMap(({ additional }) => additional),
  };
}

function ownInput(
  definition: MainDefinition,
  comps: CompsOfVariants,
  variant: Variant,
  arch: string,
): CompsInput {
  if (!variant.arches.includes(arch)) return NO_INPUT;
  const document = comps.byVariant.get(variant.uid)?.get(arch);
  const asked = document === undefined ? NO_INPUT : inputOfComps(document);
  const { additionalPackages } = settingsOf(definition, variant.uid, arch);
  return { ...asked, additional: additionalPackages.map(wishOf) };
}

/** What the groups of a comps file ask for. */
function inputOfComps(comps: Pick<CompsDocument, 'groups' | 'langpacks'>): CompsInput {
  const requests = comps.groups.flatMap(({ packages }) => packages);
  return {
    groups: comps.groups.map(({ id }) => id),
    groupPackages: requests.filter(({ type }) => type !== 'conditional').map(({ name }) => name),
    conditionals: requests
      .filter(({ type }) => type === 'conditional')
      .map(({ name, requires }) => ({ trigger: requires ?? '', install: name })),
    langpacks: comps.langpacks,
    additional: [],
  };
}

const knownArches = new Set(
  (
    'noarch src nosrc x86_64 amd64 ia32e athlon i386 i486 i586 i686 geode aarch64 ppc64le ppc64 ppc64p7 ppc ' +
    'ppc64iseries ppc64pseries ppciseries ppcpseries s390x s390 armhfp armv5tel armv5tejl armv6l armv6hl armv7l ' +
    'armv7hl armv7hnl riscv64 loongarch64 ia64 alpha sparc sparcv8 sparcv9 sparcv9v sparc64 sparc64v sh3 sh4 sh4a mips mipsel'
  ).split(' '),
);

/** Reads `name.arch`; a last part that is no known arch belongs to the name. Source: main compose contract 6. */
function wishOf(entry: string): PackageWish {
  const dot = entry.lastIndexOf('.');
  const arch = entry.slice(dot + 1);
  return dot > 0 && knownArches.has(arch) ? { name: entry.slice(0, dot), arch } : { name: entry, arch: null };
}

/**
 * Refuses an additional package of an arch that a tree cannot hold. Throws `main.package_arch`.
 * Source: main compose contract 6.
 */
export function checkPackageArch(entry: string, treeArch: string): void {
  const { name, arch } = wishOf(entry);
  if (arch === null || treeArch === 'src') return;
  const { native, multilib } = archListsOf(treeArch);
  if (native.includes(arch) || multilib.includes(arch)) return;
  throw new ReactorError(
    'main.package_arch',
    `Incompatible package arch '${arch}' for tree arch '${treeArch}' in additional package '${name}'`,
  );
}

/**
 * What every arch of a compose asks for, over all variants: what a compose of repositories reads first, and the names
 * whose packages must be signed. Source: main compose contract 5.
 */
export function inputOfArches(definition: MainDefinition): ReadonlyMap<string, CompsInput> {
  const { comps, variants } = definition;
  const inputs = new Map<string, CompsInput>();
  for (const arch of archesOfVariants(variants)) {
    const asked = comps === null ? NO_INPUT : inputOfComps(compsOfTree(compsOfArch(comps, arch)));
    const additional = [...variants.values()]
      .filter(({ arches }) => arches.includes(arch))
      .flatMap(({ uid }) => settingsOf(definition, uid, arch).additionalPackages.map(wishOf));
    inputs.set(arch, { ...asked, additional });
  }
  return inputs;
}

/**
 * The names whose packages must be signed, sources included. Of groups those count that the last arch has, with all
 * their packages for whatever arch or variant; what is asked for beside groups counts for every arch.
 * Source: main compose contract 5, and what was recorded of it.
 */
export function wantedNamesOf(definition: MainDefinition): ReadonlySet<string> {
  const known = wantedNames.get(definition) ?? listWantedNames(definition);
  wantedNames.set(definition, known);
  return known;
}

/** Of definitions that were asked before: one is asked several times for each compose. */
const wantedNames = new KeptWith<MainDefinition, ReadonlySet<string>>();

function listWantedNames(definition: MainDefinition): Set<string> {
  const inputs = inputOfArches(definition);
  const last = [...inputs.keys()].at(-1) ?? '';
  const groups = new Set(inputs.get(last)?.groups);
  const names = new Set<string>();
  const all = definition.comps === null ? [] : compsOfTree(definition.comps).groups;
  for (const { id, packages } of all) {
    if (groups.has(id)) for (const { name } of packages) names.add(name);
  }
  for (const { name } of definition.mappedPackages.get(last) ?? []) names.add(name);
  const wishes = [...inputs.values()].flatMap(({ additional }) => additional);
  for (const { name } of [...wishes, ...[...definition.prepopulated.values()].flat()]) names.add(name);
  return names;
}

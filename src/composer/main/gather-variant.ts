import { ReactorError } from '../../model/errors.ts';
import { checkDependencies, type GatherResult, type Why } from '../gather/gather-result.ts';
import type { GatherContext } from '../gather/gather-run.ts';
import type { LookedAt } from '../gather/looked-at.ts';
import { gatherWithFiles } from '../gather/load-repositories.ts';
import { gatherNodeps } from '../gather/nodeps.ts';
import {
  settingsOf,
  type GatherMethod,
  type GatherSource,
  type MainDefinition,
  type VariantArchSettings,
} from './main-definition.ts';
import type { MainPackages, VariantModule } from './main-packages.ts';
import { listSources } from './read-definition.ts';
import type { CompsInput } from './variant-inputs.ts';
import type { Variant } from './variants.ts';

/** What an arch of a variant holds; ids of the index. */
export interface GatheredTree {
  readonly binary: readonly number[];
  readonly debug: readonly number[];
  readonly source: readonly number[];
  /** What was needed and comes from lookasides: not shipped. */
  readonly lookaside: readonly number[];
  /** Binaries that were asked for by name. */
  readonly inputs: ReadonlySet<number>;
  /** Why a package is in the tree; null for one that was moved to it. */
  readonly why: (id: number) => Why | null;
}

/** What one arch of a variant is gathered from and by. */
export interface VariantArch {
  readonly variant: Variant;
  readonly arch: string;
  readonly input: CompsInput;
  /** By method: what may be seen. */
  readonly visible: Readonly<Record<GatherMethod, Uint8Array>>;
  /** What counts as lookaside beside the packages of lookaside repositories. */
  readonly lookaside: Uint8Array;
  readonly fulltreeExcludes: readonly string[];
  /** Where it is noted what is looked up in the index; left out where nobody asks. */
  readonly lookedAt?: LookedAt;
}

export interface VariantGatherContext extends GatherContext {
  readonly definition: MainDefinition;
  readonly packages: MainPackages;
}

/**
 * Gathers an arch of a variant: its modules, then what comps asks for, then what the JSON mapping does. Throws
 * `main.method_missing`, `main.unresolved` and what `gatherWithFiles` throws. Source: main compose contract 6.
 */
export async function gatherVariant(
  context: VariantGatherContext,
  variantArch: VariantArch,
): Promise<GatheredTree> {
  const { definition, packages } = context;
  const { variant, arch } = variantArch;
  const where = `${variant.uid}.${arch}`;
  const methods = definition.methods.get(variant.uid);
  if (methods === undefined) {
    const sentence = `Variant ${variant.uid} has no configured gather_method`;
    throw new ReactorError('main.method_missing', sentence, { where });
  }
  const settings = settingsOf(definition, variant.uid, arch);
  const modules = packages.modules.get(variant.uid)?.get(arch) ?? [];
  const results: { result: GatherResult; method: GatherMethod }[] = [];
  for (const [source, method] of listSources(methods)) {
    if (!hasInput(source, variantArch.input, settings, modules)) continue;
    if (method === null) {
      const sentence = `Variant ${variant.uid} has no configured gather_method for source ${source}`;
      throw new ReactorError('main.method_missing', sentence, { where });
    }
    const result =
      method === 'nodeps'
        ? await gatherByName(packages, variantArch, source, settings, modules)
        : await gatherByDependencies(context, variantArch, source, settings, modules);
    if (method === 'deps' && definition.isCheckingDependencies) checkResolved(result, variant.uid, arch);
    results.push({ result, method });
  }
  const inputs = new Set<number>();
  for (const { result, method } of results) {
    for (const id of result.binary)
      if (method === 'nodeps' || result.why(id)?.kind === 'input') inputs.add(id);
  }
  const unite = (kind: 'binary' | 'debug' | 'source' | 'lookaside'): number[] => [
    ...new Set(results.flatMap(({ result }) => result[kind])),
  ];
  return {
    binary: unite('binary'),
    debug: unite('debug'),
    source: unite('source'),
    lookaside: unite('lookaside'),
    inputs,
    why(id) {
      for (const { result } of results) {
        const why = result.why(id);
        if (why !== null) return why;
      }
      return null;
    },
  };
}

function hasInput(
  source: GatherSource,
  input: CompsInput,
  settings: VariantArchSettings,
  modules: readonly VariantModule[],
): boolean {
  switch (source) {
    case 'module':
      return modules.some(({ stream }) => stream.artifacts.length > 0);
    case 'comps':
      return input.groups.length > 0 || input.additional.length > 0;
    case 'json':
      return settings.mappedPackages.length > 0;
    default:
      return source satisfies never;
  }
}

function checkResolved(result: GatherResult, uid: string, arch: string): void {
  const broken = checkDependencies(result, uid, arch);
  if (broken.length === 0) return;
  throw new ReactorError('main.unresolved', 'Unresolved dependencies detected', {
    where: `${uid}.${arch}`,
    hint: broken.join('\n'),
  });
}

function artifactsOf(modules: readonly VariantModule[]): string[] {
  return [...new Set(modules.flatMap(({ stream }) => stream.artifacts))];
}

/** Source: pungi contract 3, main compose contract 6. */
async function gatherByName(
  { index }: MainPackages,
  { arch, input, visible, lookedAt }: VariantArch,
  source: GatherSource,
  settings: VariantArchSettings,
  modules: readonly VariantModule[],
): Promise<GatherResult> {
  const common = { arch, visible: visible.nodeps };
  // Every package that may be seen is held against what is asked for.
  lookedAt?.addGlob('*');
  if (source === 'module')
    return gatherNodeps(index, { ...common, packages: [], nevras: new Set(artifactsOf(modules)) });
  const wishes = source === 'comps' ? input.additional : settings.mappedPackages;
  const fromComps = source === 'comps' ? input : null;
  return gatherNodeps(index, {
    ...common,
    packages: [
      ...(fromComps?.groupPackages ?? []),
      ...(fromComps?.conditionals.map(({ install }) => install) ?? []),
    ],
    additional: wishes.filter((wish) => wish.arch === null).map(({ name }) => name),
    ofArch: wishes.flatMap(({ name, arch: own }) => (own === null ? [] : [{ name, arch: own }])),
  });
}

/** Source: main compose contract 6. */
async function gatherByDependencies(
  context: VariantGatherContext,
  variantArch: VariantArch,
  source: GatherSource,
  settings: VariantArchSettings,
  modules: readonly VariantModule[],
): Promise<GatherResult> {
  const { definition, packages } = context;
  const { variant, arch, input } = variantArch;
  const isChild = variant.type === 'addon' || variant.type === 'layered-product';
  const isOptional = variant.type === 'optional';
  const isComps = source === 'comps';
  const wishes = source === 'json' ? settings.mappedPackages : isComps ? input.additional : [];
  const patterns = [
    ...(isComps ? input.groupPackages : []),
    ...wishes.map((wish) => (wish.arch === null ? wish.name : `${wish.name}.${wish.arch}`)),
  ];
  const prepopulate = isComps
    ? settings.prepopulate
    : artifactsOf(source === 'module' ? modules : []).map(nameAndArch);
  return gatherWithFiles(context, packages.index, packages.files, {
    arch,
    packages: [
      ...patterns.filter((pattern) => !pattern.startsWith('-')),
      ...(isComps ? settings.filterPackages.map((pattern) => `-${pattern}`) : []),
    ],
    prepopulate,
    conditionals: isComps ? input.conditionals : [],
    langpacks: input.langpacks,
    greedy: definition.greedy,
    fulltree: definition.isFulltree || isChild || isOptional,
    fulltreeExcludes: variantArch.fulltreeExcludes,
    selfhosting: isOptional || (definition.isSelfhosting && !isChild),
    multilibMethods: settings.multilibMethods,
    multilibWhitelist: definition.multilibWhitelist.get(arch) ?? [],
    multilibBlacklist: definition.multilibBlacklist.get(arch) ?? [],
    visible: variantArch.visible.deps,
    lookaside: variantArch.lookaside,
    ...(variantArch.lookedAt === undefined ? {} : { lookedAt: variantArch.lookedAt }),
  });
}

/** `name.arch` of a NEVRA. */
function nameAndArch(nevra: string): string {
  const dot = nevra.lastIndexOf('.');
  const name = nevra.slice(0, nevra.lastIndexOf('-', nevra.lastIndexOf('-') - 1));
  return `${name}${nevra.slice(dot)}`;
}

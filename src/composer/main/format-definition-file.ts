import { stringify } from 'yaml';
import type { DefinitionInput, PlaceInput } from './definition-file-schema.ts';
import { besideInputOf, extraFilesInputOf, fileDigestsInputOf } from './format-beside.ts';
import { joinArches, notExpressible, unless } from './format-entries.ts';
import type { MainDefinition, PackageWish, VariantArchSettings, VariantMethods } from './main-definition.ts';
import type { Variant } from './variants.ts';

/** How a definition is written down. */
export interface DefinitionFileNames {
  /** The name of the definition. */
  readonly name: string;
  /** Where its comps are. */
  readonly comps: PlaceInput;
  /** The directory beside it that has its other files; empty for that of the definition. */
  readonly files: string;
}

type VariantInput = DefinitionInput['variants'][string];
type ChildInput = NonNullable<VariantInput['children']>[string];

/**
 * Writes a definition as a file that reads back as the same; what is as by default is left out. Throws
 * `definition.not_expressible` for the few things that such a file cannot say.
 */
export function formatDefinitionFile(definition: MainDefinition, names: DefinitionFileNames): string {
  const { release, baseProduct, comps, output } = definition;
  const arches = [...new Set([...definition.variants.values()].flatMap((variant) => variant.arches))].sort();
  const file: DefinitionInput = {
    version: 1,
    name: names.name,
    release: {
      name: release.name,
      short: release.short,
      version: release.version,
      ...unless('type', release.type, 'ga'),
      ...unless('internal', release.isInternal, false),
      ...unless('discinfo', release.discinfoDescription, null),
      ...unless('treeinfo_version', release.treeinfoVersion, null),
    },
    ...(baseProduct === null ? {} : { base_product: baseProduct }),
    arches,
    inputs: inputsOf(definition, arches),
    ...unless(
      'sigkeys',
      definition.sigkeys.map((key) => key ?? 'unsigned'),
      ['unsigned'],
    ),
    ...(comps === null ? {} : { comps: names.comps }),
    ...besideInputOf(definition, names.files),
    ...unless('gather', gatherOf(definition, arches), {}),
    variants: Object.fromEntries(
      [...definition.variants.values()]
        .filter(({ parent }) => parent === null)
        .map((variant) => [variant.id, parentOf(definition, variant, { arches, files: names.files })]),
    ),
    ...unless(
      'output',
      {
        ...unless('hashed_directories', output.areDirectoriesHashed, false),
        ...unless('checksum', output.checksum, 'sha256'),
        ...unless('skip_phases', [...output.skippedPhases], []),
        ...fileDigestsInputOf(definition),
      },
      {},
    ),
  };
  const schema = '# yaml-language-server: $schema=../schema/compose.v1.schema.json\n';
  return (
    schema + stringify(file, { lineWidth: 110, defaultStringType: 'PLAIN', flowCollectionPadding: true })
  );
}

function inputsOf({ packages }: MainDefinition, arches: readonly string[]): DefinitionInput['inputs'] {
  switch (packages.kind) {
    case 'koji':
      return {
        koji: {
          ...unless('profile', packages.profile, null),
          tags: [...packages.tags],
          ...unless('inherit', packages.isInherited, true),
          ...unless('event', packages.event, null),
          ...unless('builds', [...packages.builds], []),
          ...unless('scratch_tasks', [...packages.scratchTasks], []),
          ...unless('module_tags', [...packages.moduleTags], []),
          ...unless('inherit_modules', packages.areModulesInherited, false),
          ...unless(
            'module_builds',
            Object.fromEntries(Array.from(packages.moduleBuilds, ([uid, builds]) => [uid, [...builds]])),
            {},
          ),
        },
      };
    case 'repositories':
      return { repositories: joinArches(arches, (arch) => packages.locations.get(arch) ?? []) };
    case 'composes':
      return { composes: packages.parts.map(writtenPart) };
    default:
      return packages satisfies never;
  }
}

function writtenPart(part: string): string | number {
  return /^\d+$/.test(part) ? Number(part) : part;
}

function gatherOf(definition: MainDefinition, arches: readonly string[]): DefinitionInput['gather'] {
  const { plainMethod, multilibWhitelist, multilibBlacklist } = definition;
  return {
    ...unless('method', plainMethod, 'deps'),
    ...unless('greedy', definition.greedy, 'none'),
    ...unless('fulltree', definition.isFulltree, false),
    ...unless('selfhosting', definition.isSelfhosting, false),
    ...unless('check_deps', definition.isCheckingDependencies, true),
    ...unless('noarch_exclusive', definition.isNoarchExclusive, true),
    ...unless('filter_environments', definition.isFilteringEnvironments, true),
    ...unless(
      'multilib_whitelist',
      joinArches(arches, (arch) => multilibWhitelist.get(arch) ?? []),
      [],
    ),
    ...unless(
      'multilib_blacklist',
      joinArches(arches, (arch) => multilibBlacklist.get(arch) ?? []),
      [],
    ),
  };
}

/** What an entry of a variant depends on beside its definition. */
interface EntryPlace {
  /** Those that it has unless it says otherwise. */
  readonly arches: readonly string[];
  readonly files: string;
}

function parentOf(definition: MainDefinition, variant: Variant, place: EntryPlace): VariantInput {
  const below = { ...place, arches: variant.arches };
  const children = variant.children.map((uid) => childOf(definition, uid, below));
  return {
    ...contentOf(definition, variant, place),
    ...unless('children', Object.fromEntries(children), {}),
  };
}

function childOf(definition: MainDefinition, uid: string, place: EntryPlace): [string, ChildInput] {
  const child = definition.variants.get(uid);
  if (child === undefined || child.type === 'variant' || child.children.length > 0) {
    throw notExpressible(`${uid} lies below another variant and is a variant or has children itself`);
  }
  const written: ChildInput = {
    type: child.type,
    ...unless('release', child.release, null),
    ...contentOf(definition, child, place),
  };
  return [child.id, written];
}

function contentOf(
  definition: MainDefinition,
  variant: Variant,
  { arches, files }: EntryPlace,
): Omit<VariantInput, 'children'> {
  const { uid } = variant;
  if (variant.buildinstallPackages.length > 0) {
    throw notExpressible(`${uid} names packages of an installer image`);
  }
  const settings = new Map(variant.arches.map((arch) => [arch, settingsOf(definition, uid, arch)]));
  const joined = <Item extends string>(itemsOf: (ofArch: VariantArchSettings) => readonly Item[]) =>
    joinArches(variant.arches, (arch) => {
      const ofArch = settings.get(arch);
      return ofArch === undefined ? [] : itemsOf(ofArch);
    });
  const listed = <Item>(itemsOf: (ofArch: VariantArchSettings) => readonly Item[]): Record<string, Item[]> =>
    Object.fromEntries(
      [...settings]
        .map(([arch, ofArch]): [string, Item[]] => [arch, [...itemsOf(ofArch)]])
        .filter(([, list]) => list.length > 0),
    );
  const { packages } = definition;
  const from = packages.kind === 'composes' ? packages.partsOfVariants.get(uid) : undefined;
  return {
    ...unless('name', variant.name, variant.id),
    ...unless('arches', [...variant.arches], arches),
    ...(from === undefined ? {} : { from: from.map(writtenPart) }),
    ...unless('groups', variant.groups.map(groupOf), []),
    ...unless(
      'environments',
      variant.environments.map(({ name, displayOrder }) =>
        displayOrder === null ? name : { id: name, display_order: displayOrder },
      ),
      [],
    ),
    ...unless(
      'packages',
      joined((ofArch) => ofArch.additionalPackages),
      [],
    ),
    ...unless(
      'exclude_packages',
      joined((ofArch) => ofArch.filterPackages),
      [],
    ),
    ...(variant.modules === null ? {} : { modules: [...variant.modules] }),
    ...unless('module_tags', [...variant.moduleTags], []),
    ...unless(
      'exclude_modules',
      joined((ofArch) => ofArch.filterModules),
      [],
    ),
    ...unless('multilib', multilibOf(variant, settings), []),
    ...unless('lookaside', lookasideOf(definition, uid), []),
    ...unless(
      'lookaside_repositories',
      joined((ofArch) => ofArch.lookasideRepositories),
      [],
    ),
    ...unless(
      'mapped_packages',
      listed((ofArch) => ofArch.mappedPackages.map(wishOf)),
      {},
    ),
    ...unless(
      'prepopulate',
      listed((ofArch) => ofArch.prepopulate),
      {},
    ),
    ...unless('empty', variant.isEmpty, false),
    ...extraFilesInputOf(definition, variant, files),
    ...unless('images', imagesOf(definition, uid), []),
    ...(definition.plainMethod === null
      ? { method: methodOf(uid, definition.methods.get(uid) ?? null) }
      : {}),
    ...repoclosureOf(settings),
  };
}

function imagesOf({ imageTasks }: MainDefinition, uid: string): NonNullable<VariantInput['images']> {
  return imageTasks
    .filter(({ variant }) => variant === uid)
    .map((task): NonNullable<VariantInput['images']>[number] => {
      switch (task.phase) {
        case 'kiwibuild':
          return { phase: task.phase, ...task.options };
        case 'imagebuilder':
          return { phase: task.phase, ...task.options };
        case 'osbuild':
          return { phase: task.phase, ...task.options };
        case 'osbs':
          return { phase: task.phase, ...task.options };
        case 'image_container':
          return { phase: task.phase, ...task.options };
        default:
          return task satisfies never;
      }
    });
}

function settingsOf({ settings }: MainDefinition, uid: string, arch: string): VariantArchSettings {
  const found = settings.get(uid)?.get(arch);
  if (found === undefined) throw new Error(`there are no settings of ${uid}.${arch}`);
  return found;
}

function groupOf(group: Variant['groups'][number]): NonNullable<VariantInput['groups']>[number] {
  const { name, isGlob, isDefault, isUservisible } = group;
  if (!isGlob && isDefault === null && isUservisible === null) return name;
  return {
    id: name,
    ...unless('glob', isGlob, false),
    ...unless('default', isDefault, null),
    ...unless('uservisible', isUservisible, null),
  };
}

function multilibOf(
  { uid, arches }: Variant,
  settings: ReadonlyMap<string, VariantArchSettings>,
): NonNullable<VariantInput['multilib']> {
  for (const { multilibMethods, hasMultilibEntry } of settings.values()) {
    if (hasMultilibEntry && multilibMethods.length === 0) {
      throw notExpressible(`${uid} names multilib methods, of which none is known`);
    }
  }
  return joinArches(arches, (arch) => settings.get(arch)?.multilibMethods ?? []);
}

function lookasideOf({ variantLookasides, variants }: MainDefinition, uid: string): string[] {
  const providers = variantLookasides.filter(([user]) => user === uid).map(([, provider]) => provider);
  const ghost = variantLookasides.flat().find((lookaside) => !variants.has(lookaside));
  if (ghost !== undefined) throw notExpressible(`lookasides name the variant ${ghost}, which does not exist`);
  return providers;
}

function wishOf({ name, arch }: PackageWish): string | { name: string; arch: string } {
  return arch === null ? name : { name, arch };
}

function methodOf(uid: string, methods: VariantMethods | null): NonNullable<VariantInput['method']> {
  if (methods === null) throw notExpressible(`${uid} has no method of gathering`);
  const { module, comps, json } = methods;
  if (module !== null && module === comps && comps === json) return module;
  return {
    ...unless('module', module, null),
    ...unless('comps', comps, null),
    ...unless('json', json, null),
  };
}

function repoclosureOf(
  settings: ReadonlyMap<string, VariantArchSettings>,
): Pick<VariantInput, 'repoclosure'> {
  const byArch = Object.fromEntries(Array.from(settings, ([arch, { repoclosure }]) => [arch, repoclosure]));
  const [first = 'lenient', ...others] = new Set(Object.values(byArch));
  if (others.length > 0) return { repoclosure: byArch };
  return first === 'lenient' ? {} : { repoclosure: first };
}

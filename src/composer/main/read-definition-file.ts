import { basename } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import type { FileProblem, ReportProblem } from '../../model/file-problem.ts';
import { readYamlFile, type YamlFileKind } from '../../model/yaml-file.ts';
import type { XmlNode } from '../../rpm/xml-tree.ts';
import { besideOf, checkBeside } from './beside-of-file.ts';
import { checkNames } from './check-definition-file.ts';
import {
  definitionFileSchema,
  type ByArch,
  type ChildEntry,
  type DefinitionFile,
  type VariantEntry,
} from './definition-file-schema.ts';
import {
  type MainDefinition,
  type PackageInput,
  type PackageWish,
  type VariantArchSettings,
  type VariantMethods,
} from './main-definition.ts';
import { describePath, type GitPlace } from './git-place.ts';
import { listImageTasks } from './images-of-file.ts';
import type { ConfigFiles } from './load-config.ts';
import { readGlobalComps } from './variant-comps.ts';
import { listGitPlaces, pathOfPlace } from './written-places.ts';
import { listOfArch, listVariants, lookasidesOf, type WrittenVariant } from './written-variants.ts';

/** What reading a definition file yields: the definition, or all that is wrong with it. */
export type DefinitionReading =
  | { readonly ok: true; readonly definition: MainDefinition }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

/** The same as for the files of a configuration. */
const COMPS_LIMIT = 10 * 1024 * 1024;

const definitionFileKind: YamlFileKind<DefinitionFile> = {
  schema: definitionFileSchema,
  whole: 'the definition',
  codes: {
    yamlInvalid: 'definition.yaml_invalid',
    tooLong: 'definition.too_long',
    keyUnknown: 'definition.key_unknown',
    keyMissing: 'definition.key_missing',
    valueInvalid: 'definition.value_invalid',
  },
};

/**
 * Reads the definition of a main compose from its file; `files` are those of its directory, and what was fetched for it. Reports the problems with line and column; nothing is thrown for a bad file.
 */
export function readDefinitionFile(
  file: string,
  text: string,
  files: Pick<ConfigFiles, 'read' | 'list'>,
): DefinitionReading {
  const reading = readYamlFile(definitionFileKind, file, text);
  if (!reading.ok) return reading;
  const { value, report, problems } = reading;
  const expected = basename(file).replace(/\.ya?ml$/, '');
  if (value.name !== expected) {
    const message = `The definition is called "${value.name}", its file "${expected}".`;
    report('definition.name_differs', ['name'], message, 'Rename one of them.');
  }
  const written = listVariants(value, report);
  const comps = readComps(value, files, report);
  checkNames(value, written, report);
  checkBeside(value, written, { files, report });
  const imageTasks = listImageTasks(value, written, report);
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, definition: definitionOf(value, written, { comps, imageTasks }) };
}

/** Lists the places in git repositories that a definition file names; none of one whose shape is wrong. */
export function listPlacesOfFile(file: string, text: string): GitPlace[] {
  if (!text.includes('git')) return [];
  const reading = readYamlFile(definitionFileKind, file, text);
  return reading.ok ? listGitPlaces(reading.value) : [];
}

function readComps(
  { comps }: DefinitionFile,
  files: Pick<ConfigFiles, 'read'>,
  report: ReportProblem,
): XmlNode | null {
  if (comps === undefined) return null;
  const path = pathOfPlace(comps);
  const shown = describePath(path);
  const bytes = files.read(path);
  if (bytes === null) {
    const hint = 'Paths are relative to the directory of the definition and stay below it.';
    report('definition.file_missing', ['comps'], `There is no file ${shown} beside the definition.`, hint);
    return null;
  }
  if (bytes.byteLength > COMPS_LIMIT) {
    report('definition.comps_invalid', ['comps'], `${shown} is larger than 10 MiB.`);
    return null;
  }
  try {
    return readGlobalComps(bytes, shown);
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    report('definition.comps_invalid', ['comps'], `${shown}: ${error.message}.`);
    return null;
  }
}

function definitionOf(
  file: DefinitionFile,
  written: readonly WrittenVariant[],
  { comps, imageTasks }: Pick<MainDefinition, 'comps' | 'imageTasks'>,
): MainDefinition {
  const { release, gather, output } = file;
  const arches = [...new Set(written.flatMap(({ variant }) => variant.arches))].sort();
  const byArch = (value: ByArch): Map<string, readonly string[]> =>
    new Map(arches.map((arch) => [arch, listOfArch(value, arch)]));
  const isPlain = written.every(({ entry }) => entry.method === undefined);
  const settings = new Map(
    written.map(({ variant, entry }) => [
      variant.uid,
      new Map(variant.arches.map((arch) => [arch, settingsOf(file, entry, arch)])),
    ]),
  );
  return {
    release: {
      name: release.name,
      short: release.short,
      version: release.version,
      type: release.type.toLowerCase(),
      isInternal: release.internal,
      discinfoDescription: release.discinfo ?? null,
      treeinfoVersion: release.treeinfo_version ?? null,
    },
    baseProduct:
      file.base_product === undefined
        ? null
        : { ...file.base_product, type: file.base_product.type.toLowerCase() },
    variants: new Map(written.map(({ variant }) => [variant.uid, variant])),
    comps,
    isFilteringEnvironments: gather.filter_environments,
    packages: packagesOf(file, written, arches),
    isNoarchExclusive: gather.noarch_exclusive,
    sigkeys: file.sigkeys.map((key) => (key === 'unsigned' ? null : key)),
    plainMethod: isPlain ? gather.method : null,
    methods: new Map(
      written.map(({ variant, entry }) => [variant.uid, methodsOf(entry.method ?? gather.method)]),
    ),
    greedy: gather.greedy,
    isFulltree: gather.fulltree,
    isSelfhosting: gather.selfhosting,
    isCheckingDependencies: gather.check_deps,
    multilibWhitelist: byArch(gather.multilib_whitelist),
    multilibBlacklist: byArch(gather.multilib_blacklist),
    variantLookasides: lookasidesOf(written),
    settings,
    mappedPackages: wishesByArch(settings, ({ mappedPackages }) => mappedPackages),
    prepopulated: wishesByArch(settings, ({ prepopulate }) => prepopulate.map(wishOfNameArch)),
    beside: besideOf(file, written),
    imageTasks,
    output: {
      areDirectoriesHashed: output.hashed_directories,
      checksum: output.checksum,
      skippedPhases: new Set(output.skip_phases),
    },
  };
}

function packagesOf(
  { inputs }: DefinitionFile,
  written: readonly WrittenVariant[],
  arches: readonly string[],
): PackageInput {
  const { koji, repositories, composes } = inputs;
  if (koji !== undefined) {
    return {
      kind: 'koji',
      profile: koji.profile ?? null,
      event: koji.event ?? null,
      tags: koji.tags,
      builds: koji.builds,
      scratchTasks: koji.scratch_tasks,
      isInherited: koji.inherit,
      moduleTags: koji.module_tags,
      areModulesInherited: koji.inherit_modules,
      moduleBuilds: new Map(Object.entries(koji.module_builds)),
    };
  }
  if (repositories !== undefined) {
    const locations = arches.map((arch) => [arch, [...new Set(listOfArch(repositories, arch))]] as const);
    return { kind: 'repositories', locations: new Map(locations) };
  }
  const byUid = new Map(written.map((given) => [given.variant.uid, given.entry]));
  const some = written.flatMap(({ variant, entry }) => {
    const from = entry.from ?? byUid.get(variant.parent ?? '')?.from;
    return from === undefined ? [] : [[variant.uid, from.map(String)] as const];
  });
  return { kind: 'composes', parts: (composes ?? []).map(String), partsOfVariants: new Map(some) };
}

function methodsOf(method: NonNullable<VariantEntry['method']>): VariantMethods {
  if (typeof method === 'string') return { module: method, comps: method, json: method };
  return { module: method.module ?? null, comps: method.comps ?? null, json: method.json ?? null };
}

function settingsOf(
  file: DefinitionFile,
  entry: VariantEntry | ChildEntry,
  arch: string,
): VariantArchSettings {
  const multilib = listOfArch(entry.multilib, arch);
  const { repoclosure = file.repoclosure } = entry;
  return {
    additionalPackages: listOfArch(entry.packages, arch),
    filterPackages: listOfArch(entry.exclude_packages, arch),
    filterModules: listOfArch(entry.exclude_modules, arch),
    multilibMethods: multilib,
    hasMultilibEntry: multilib.length > 0,
    lookasideRepositories: [...new Set(listOfArch(entry.lookaside_repositories, arch))],
    mappedPackages: (entry.mapped_packages[arch] ?? []).map((mapped) =>
      typeof mapped === 'string' ? { name: mapped, arch: null } : mapped,
    ),
    prepopulate: entry.prepopulate[arch] ?? [],
    repoclosure:
      typeof repoclosure === 'string'
        ? repoclosure
        : (repoclosure[arch] ?? repoclosure['all'] ?? file.repoclosure),
  };
}

function wishesByArch(
  settings: MainDefinition['settings'],
  wishesOf: (ofArch: VariantArchSettings) => readonly PackageWish[],
): Map<string, readonly PackageWish[]> {
  const found = new Map<string, PackageWish[]>();
  for (const byArch of settings.values()) {
    for (const [arch, ofArch] of byArch) {
      const wishes = wishesOf(ofArch);
      if (wishes.length > 0) found.set(arch, [...(found.get(arch) ?? []), ...wishes]);
    }
  }
  return found;
}

function wishOfNameArch(entry: string): PackageWish {
  const dot = entry.lastIndexOf('.');
  return { name: entry.slice(0, Math.max(0, dot)), arch: entry.slice(dot + 1) };
}

import { posix } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { hasControlCharacter } from '../../model/names.ts';
import {
  isDictionary,
  itemsOf,
  listOf,
  textsOf,
  valueOfJson,
  type Config,
  type ConfigValue,
} from './config-value.ts';
import { textsByVariantAndArch, valuesByArch, valuesByVariant } from './config-mappings.ts';
import { gitPlaceOf } from './git-place.ts';
import { readText, type ConfigFiles, type LoadedConfig } from './load-config.ts';
import {
  gatherSources,
  type GatherMethod,
  type MainDefinition,
  type PackageInput,
  type PackageWish,
  type Product,
  type VariantArchSettings,
  type VariantMethods,
} from './main-definition.ts';
import { findLookasideFaults } from './order-variants.ts';
import { readGlobalComps } from './variant-comps.ts';
import { archesOfVariants, type Variants } from './variants.ts';
import { readImageTasks } from './images-of-config.ts';
import { readBesideSources } from './read-beside-sources.ts';
import { readVariants } from './read-variants.ts';
import { checkPackageArch } from './variant-inputs.ts';

/** Where the variants and comps of a compose are kept while it is made; errors name them there. */
export interface WorkPaths {
  readonly variants: string;
  readonly comps: string;
}

/**
 * Makes the definition of a compose from a valid configuration and the files it names. Throws
 * `main.variants_invalid`, `main.comps_invalid`, `main.config_invalid`, `main.config_missing`, `main.package_arch`,
 * `main.extra_file_invalid`, `main.not_native` and those of `loadConfig`. Source: main compose contract 2 to 6.
 */
export function readDefinition(files: ConfigFiles, loaded: LoadedConfig, paths: WorkPaths): MainDefinition {
  const { config, directory } = loaded;
  const fileBytes = (option: string): Buffer => {
    const name = config.get(option);
    if (typeof name === 'string') return Buffer.from(readText(files, posix.join(directory, name)));
    throw new ReactorError(
      'main.config_invalid',
      `The option ${option} names no file of the configuration.`,
      { hint: 'Name a path, or a dictionary with scm, repo, branch and file.' },
    );
  };
  const variants = readVariants(fileBytes('variants_file'), {
    where: paths.variants,
    treeArches: textsOf(config.get('tree_arches')),
    treeVariants: textsOf(config.get('tree_variants')),
  });
  const variantLookasides = pairsOf(config.get('variant_as_lookaside'));
  const lookasideFaults = findLookasideFaults(variants, variantLookasides);
  if (lookasideFaults.length > 0) {
    throw new ReactorError('main.config_invalid', 'Configuration is not valid', {
      hint: lookasideFaults.join('\n'),
    });
  }
  const comps = config.has('comps_file') ? readGlobalComps(fileBytes('comps_file'), paths.comps) : null;
  const arches = archesOfVariants(variants);
  for (const { uid } of variants.values()) {
    for (const arch of arches) {
      for (const entry of textsByVariantAndArch(config.get('additional_packages'), uid, arch)) {
        checkPackageArch(entry, arch);
      }
    }
  }
  const mapping = readMapping(files, loaded);
  const prepopulate = readPrepopulate(files, loaded);
  const method = config.get('gather_method');
  const beside = readBesideSources(files, loaded, variants);
  const byArch = (option: string): Map<string, readonly string[]> =>
    new Map(
      arches.map((arch) => [
        arch,
        valuesByArch(config.get(option), arch).filter((value) => typeof value === 'string'),
      ]),
    );
  return {
    ...readProducts(config),
    variants,
    comps,
    isFilteringEnvironments: config.get('comps_filter_environments') !== false,
    packages: packagesOf(config, arches, files, directory),
    isNoarchExclusive: config.get('pkgset_exclusive_arch_considers_noarch') !== false,
    sigkeys: config.has('sigkeys') ? sigkeysOf(config.get('sigkeys')) : [null],
    plainMethod: method === 'deps' || method === 'nodeps' ? method : null,
    methods: methodsOf(method, variants),
    greedy: greedyOf(config.get('greedy_method')),
    isFulltree: config.get('gather_fulltree') === true,
    isSelfhosting: config.get('gather_selfhosting') === true,
    isCheckingDependencies: config.get('check_deps') !== false,
    multilibWhitelist: byArch('multilib_whitelist'),
    multilibBlacklist: byArch('multilib_blacklist'),
    variantLookasides,
    settings: settingsOfVariants(config, variants, mapping, prepopulate),
    mappedPackages: byTreeArch(mapping),
    prepopulated: byTreeArch(prepopulate),
    beside,
    imageTasks: readImageTasks(config, variants, beside.extraFileDigests),
    output: {
      areDirectoriesHashed: config.get('hashed_directories') === true,
      checksum: checksumOf(config.get('createrepo_checksum')),
      skippedPhases: new Set(textsOf(config.get('skip_phases'))),
    },
  };
}

function textOr<T>(config: Config, option: string, otherwise: T): string | T {
  const value = config.get(option);
  if (typeof value !== 'string') return otherwise;
  if (!hasControlCharacter(value)) return value;
  throw new ReactorError(
    'main.config_invalid',
    `The option ${option} has a line break or another control character.`,
    {
      where: option,
      hint: 'It is written into single lines of metadata: leave it out.',
    },
  );
}

/** Reads what a valid configuration says of the release and of what it is layered on. */
export function readProducts(config: Config): Pick<MainDefinition, 'release' | 'baseProduct'> {
  return {
    release: {
      ...productOf(config, 'release'),
      isInternal: config.get('release_internal') === true,
      discinfoDescription: textOr(config, 'release_discinfo_description', null),
      treeinfoVersion: textOr(config, 'treeinfo_version', null),
    },
    baseProduct: config.has('base_product_name') ? productOf(config, 'base_product') : null,
  };
}

function productOf(config: Config, prefix: string): Product {
  return {
    name: textOr(config, `${prefix}_name`, ''),
    short: textOr(config, `${prefix}_short`, ''),
    version: textOr(config, `${prefix}_version`, ''),
    type: textOr(config, `${prefix}_type`, 'ga').toLowerCase(),
  };
}

function checksumOf(value: ConfigValue | undefined): 'sha1' | 'sha256' | 'sha512' {
  return value === 'sha1' || value === 'sha512' ? value : 'sha256';
}

function greedyOf(value: ConfigValue | undefined): MainDefinition['greedy'] {
  return value === 'all' || value === 'build' ? value : 'none';
}

function sigkeysOf(value: ConfigValue | undefined): (string | null)[] {
  return listOf(value).map((key) => (typeof key === 'string' ? key : null));
}

function pairsOf(value: ConfigValue | undefined): [string, string][] {
  return (itemsOf(value) ?? []).flatMap((pair) => {
    const [first, second] = itemsOf(pair) ?? [];
    return typeof first === 'string' && typeof second === 'string' ? [[first, second]] : [];
  });
}

/** Source: main compose contract 5, repos: entries of the arch, then those of `*`; a text cannot be joined to a list. */
function packagesOf(
  config: Config,
  arches: readonly string[],
  files: ConfigFiles,
  directory: string,
): PackageInput {
  if (config.get('pkgset_source') === 'repos') {
    const repos = config.get('pkgset_repos');
    const locations = new Map<string, readonly string[]>();
    for (const arch of arches) {
      const isMixed =
        isDictionary(repos) && typeof repos.get(arch) === 'string' && itemsOf(repos.get('*')) !== null;
      if (isMixed) {
        throw new ReactorError('main.config_invalid', 'can only concatenate str (not "list") to str', {
          where: `pkgset_repos, ${arch}`,
          hint: 'Write every entry of pkgset_repos as a list.',
        });
      }
      const found = valuesByArch(repos, arch).filter((value) => typeof value === 'string');
      const locate = (place: string): string =>
        place.includes('://') || posix.isAbsolute(place)
          ? place
          : `${files.prefix}${posix.join(directory, place)}`;
      locations.set(arch, [...new Set(found.map(locate))]);
    }
    return { kind: 'repositories', locations };
  }
  const event = config.get('koji_event');
  const extra = config.get('pkgset_koji_module_builds');
  return {
    kind: 'koji',
    profile: textOr(config, 'koji_profile', null),
    event: typeof event === 'number' ? event : null,
    tags: textsOf(config.get('pkgset_koji_tag')),
    builds: textsOf(config.get('pkgset_koji_builds')),
    scratchTasks: listOf(config.get('pkgset_koji_scratch_tasks')).map(Number).filter(Number.isSafeInteger),
    isInherited: config.get('pkgset_koji_inherit') !== false,
    moduleTags: textsOf(config.get('pkgset_koji_module_tag')),
    areModulesInherited: config.get('pkgset_koji_inherit_modules') === true,
    moduleBuilds: new Map(
      isDictionary(extra) ? Array.from(extra, ([uid, builds]) => [String(uid), textsOf(builds)]) : [],
    ),
  };
}

function methodsOf(method: ConfigValue | undefined, variants: Variants): Map<string, VariantMethods> {
  const found = new Map<string, VariantMethods>();
  for (const { uid } of variants.values()) {
    const chosen = isDictionary(method) ? valuesByVariant(method, uid).at(-1) : method;
    if (chosen === undefined) continue;
    const of = (source: string): GatherMethod | null => {
      const value = isDictionary(chosen) ? chosen.get(source) : chosen;
      return value === 'deps' || value === 'nodeps' ? value : null;
    };
    found.set(uid, { module: of('module'), comps: of('comps'), json: of('json') });
  }
  return found;
}

type Mapping = ReadonlyMap<string, ReadonlyMap<string, readonly PackageWish[]>>;

/** The file `gather_source_mapping`: `{uid: {arch: {name glob: [arch or null]}}}`. */
function readMapping(files: ConfigFiles, { config, directory }: LoadedConfig): Mapping {
  const name = config.get('gather_source_mapping');
  if (typeof name !== 'string') return new Map();
  const path = posix.join(directory, name);
  return readByUidAndArch(files, path, (packages) =>
    isDictionary(packages)
      ? [...packages].flatMap(([pattern, arches]) =>
          listOf(arches ?? [null]).map((arch) => ({
            name: String(pattern),
            arch: typeof arch === 'string' ? arch : null,
          })),
        )
      : [],
  );
}

/** The file `gather_prepopulate`, beside the configuration: `{uid: {arch: {any: ["name.arch"]}}}`. */
function readPrepopulate(files: ConfigFiles, { config, directory }: LoadedConfig): Mapping {
  const name = config.get('gather_prepopulate');
  if (typeof name !== 'string') return new Map();
  const whole = posix.join(directory, name);
  const path = gitPlaceOf(whole) === null ? posix.join(directory, posix.basename(name)) : whole;
  return readByUidAndArch(files, path, (bySource) =>
    isDictionary(bySource)
      ? [...bySource.values()].flatMap(textsOf).map((entry) => {
          const dot = entry.lastIndexOf('.');
          return { name: entry.slice(0, Math.max(0, dot)), arch: entry.slice(dot + 1) };
        })
      : [],
  );
}

function readByUidAndArch(
  files: ConfigFiles,
  path: string,
  wishesOf: (value: ConfigValue) => readonly PackageWish[],
): Mapping {
  let json: unknown;
  try {
    json = JSON.parse(readText(files, path));
  } catch (error) {
    if (error instanceof ReactorError) throw error;
    throw new ReactorError('main.config_invalid', 'The file is no JSON.', {
      where: files.prefix + path,
      cause: error,
    });
  }
  const root = valueOfJson(json);
  const byUid = new Map<string, Map<string, readonly PackageWish[]>>();
  if (!isDictionary(root)) return byUid;
  for (const [uid, arches] of root) {
    if (!isDictionary(arches)) continue;
    byUid.set(String(uid), new Map(Array.from(arches, ([arch, value]) => [String(arch), wishesOf(value)])));
  }
  return byUid;
}

function byTreeArch(mapping: Mapping): Map<string, readonly PackageWish[]> {
  const found = new Map<string, PackageWish[]>();
  for (const arches of mapping.values()) {
    for (const [arch, wishes] of arches) found.set(arch, [...(found.get(arch) ?? []), ...wishes]);
  }
  return found;
}

function settingsOfVariants(
  config: Config,
  variants: Variants,
  mapping: Mapping,
  prepopulate: Mapping,
): MainDefinition['settings'] {
  const settings = new Map<string, Map<string, VariantArchSettings>>();
  for (const { uid, arches } of variants.values()) {
    const byArch = new Map<string, VariantArchSettings>();
    for (const arch of arches) {
      const texts = (option: string): string[] => textsByVariantAndArch(config.get(option), uid, arch);
      const methods = texts('multilib');
      const strictness = texts('repoclosure_strictness').at(-1);
      byArch.set(arch, {
        additionalPackages: texts('additional_packages'),
        filterPackages: texts('filter_packages'),
        filterModules: texts('filter_modules'),
        multilibMethods: methods.flatMap((method) =>
          method === 'all' || method === 'runtime' || method === 'devel' || method === 'none' ? [method] : [],
        ),
        hasMultilibEntry: methods.length > 0,
        lookasideRepositories: [...new Set(texts('gather_lookaside_repos'))],
        mappedPackages: mapping.get(uid)?.get(arch) ?? [],
        prepopulate: (prepopulate.get(uid)?.get(arch) ?? []).map((entry) => `${entry.name}.${entry.arch}`),
        repoclosure: strictness === 'off' || strictness === 'fatal' ? strictness : 'lenient',
      });
    }
    settings.set(uid, byArch);
  }
  return settings;
}

/** The sources of a variant and their methods, in the order they are gathered. */
export function listSources(
  methods: VariantMethods,
): [(typeof gatherSources)[number], GatherMethod | null][] {
  return gatherSources.map((source) => [source, methods[source]]);
}

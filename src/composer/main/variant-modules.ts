import { archListsOf } from '../../model/arches.ts';
import { ReactorError } from '../../model/errors.ts';
import { matchNamePattern } from '../../model/name-pattern.ts';
import { parseNevra } from '../../model/nevra.ts';
import { compareModuleVersions, formatNsvc, kojiStream, parseModuleRequest } from '../../model/nsvc.ts';
import type { ModuleStream } from '../../rpm/modulemd.ts';
import type { KojiModuleBuild } from '../../upstream/koji/hub-modules.ts';
import type { ModuleHub, TaggedModule } from '../modules/resolve-koji-modules.ts';
import { settingsOf, type MainDefinition } from './main-definition.ts';
import type { VariantModule } from './main-packages.ts';
import type { Variant } from './variants.ts';

/** The module builds of every variant that has some, by uid, sorted by NSVC. */
export interface ResolvedVariantModules {
  readonly byVariant: ReadonlyMap<string, readonly KojiModuleBuild[]>;
  readonly warnings: readonly string[];
}

/**
 * Finds the module builds of variants: by name, or in the tags of the variant or of the compose. `eventAt` is the time of
 * the Koji event in seconds; what was completed later does not count. Throws `koji.module_missing`, `module.invalid` and
 * the codes of the hub. Source: main compose contract 5.
 */
export async function resolveVariantModules(
  hub: ModuleHub,
  definition: MainDefinition,
  eventAt: number,
): Promise<ResolvedVariantModules> {
  const byVariant = new Map<string, readonly KojiModuleBuild[]>();
  const warnings: string[] = [];
  const { packages } = definition;
  if (packages.kind !== 'koji') return { byVariant, warnings };
  for (const variant of definition.variants.values()) {
    const extra = packages.moduleBuilds.get(variant.uid) ?? [];
    if (variant.modules === null && extra.length === 0) continue;
    const tags = variant.moduleTags.length > 0 ? variant.moduleTags : packages.moduleTags;
    const found: KojiModuleBuild[] = [];
    if (variant.modules !== null && tags.length > 0)
      found.push(...(await findInTags(hub, variant, tags, warnings)));
    else for (const text of variant.modules ?? []) found.push(...(await findByName(hub, text, eventAt)));
    const added: KojiModuleBuild[] = [];
    for (const text of extra) added.push(...(await findByName(hub, text, eventAt)));
    const replaced = new Set(added.map(streamOf));
    const all = [...found.filter((build) => !replaced.has(streamOf(build))), ...added];
    const unique = new Map(all.map((build) => [formatNsvc(build), build]));
    byVariant.set(
      variant.uid,
      [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, build]) => build),
    );
  }
  return { byVariant, warnings };
}

function streamOf({ name, stream }: { readonly name: string; readonly stream: string }): string {
  return `${name}:${stream}`;
}

/** The latest version of a stream with all its contexts, or what a version and context name. */
async function findByName(hub: ModuleHub, text: string, eventAt: number): Promise<KojiModuleBuild[]> {
  const { name, stream, version, context } = parseModuleRequest(text);
  const pattern = `${name}-${kojiStream(stream)}-${version ?? '*'}${version === undefined ? '' : `.${context ?? '*'}`}`;
  const builds = (await hub.getModuleBuilds(await hub.searchBuilds(pattern))).filter(
    (build) => build !== null,
  );
  const usable = builds.filter(
    (build) =>
      build.name === name &&
      build.stream === stream &&
      build.build.state === 'complete' &&
      (build.completedAt === null || build.completedAt <= eventAt) &&
      (version === undefined || build.version === version) &&
      (context === undefined || build.context === context),
  );
  const newest = newestOf(usable);
  if (newest.length > 0) return newest;
  throw new ReactorError(
    'koji.module_missing',
    `No module build found for '${text}' (queried for '${pattern}')`,
    {
      hint: 'Check the name and the stream, and whether the build was complete at the Koji event.',
    },
  );
}

function newestOf<T extends { readonly version: string }>(builds: readonly T[]): T[] {
  const version = builds
    .map((build) => build.version)
    .sort(compareModuleVersions)
    .at(-1);
  return builds.filter((build) => build.version === version);
}

/** Of each stream the tag nearest to the one named, there the latest version with all its contexts. */
async function findInTags(
  hub: ModuleHub,
  variant: Variant,
  tags: readonly string[],
  warnings: string[],
): Promise<KojiModuleBuild[]> {
  const patterns = (variant.modules ?? []).map((text) => ({ text, isMatch: matcherOf(text) }));
  const isAll = patterns.length === 0 || patterns.some(({ text }) => text === '*');
  const matched = new Set<string>();
  const chosen: KojiModuleBuild[] = [];
  for (const tag of tags) {
    const order = await hub.searchOrder(tag);
    const streams = Map.groupBy(
      await hub.listTaggedModules(tag),
      (build) => `${build.name}:${build.kojiStream}`,
    );
    const nearest = [...streams.values()].flatMap((builds) => nearestOf(builds, order));
    const found = await hub.getModuleBuilds([...new Set(nearest.map(({ id }) => id))]);
    const wanted = found.filter((build) => {
      if (build === null) return false;
      const hits = patterns.filter(({ isMatch }) => isMatch(build));
      for (const { text } of hits) matched.add(text);
      return isAll || hits.length > 0;
    });
    const groups = Map.groupBy(
      wanted.filter((build) => build !== null),
      streamOf,
    );
    for (const builds of groups.values()) chosen.push(...newestOf(builds));
  }
  const unmatched = patterns.filter(({ text }) => text !== '*' && !matched.has(text)).map(({ text }) => text);
  if (unmatched.length > 0) {
    warnings.push(
      `Configuration specified patterns (${unmatched.sort().join(', ')}) that don't match any modules in the configured tags.`,
    );
  }
  return chosen;
}

function nearestOf(builds: readonly TaggedModule[], order: readonly string[]): readonly TaggedModule[] {
  const nearest = order.find((tag) => builds.some(({ tagName }) => tagName === tag));
  return builds.filter(({ tagName }) => tagName === nearest);
}

/** Whether a build is one that `N[:S[:V[:C]]]` names, globs allowed in each part. */
function matcherOf(text: string): (build: KojiModuleBuild) => boolean {
  const tests = text.split(':').map(matchNamePattern);
  return ({ name, stream, version, context }) => {
    const parts = [name, stream, version, context];
    return tests.every((isMatch, at) => isMatch(parts[at] ?? ''));
  };
}

/** A module with its documents by package arch. */
export interface DescribedModule {
  readonly build: KojiModuleBuild;
  readonly documents: ReadonlyMap<string, ModuleStream>;
}

/**
 * The modules of each arch of each variant, without those that `filter_modules` leaves out. Throws
 * `module.arch_missing`. Source: main compose contract 5.
 */
export function modulesByArch(
  definition: MainDefinition,
  modules: ReadonlyMap<string, readonly DescribedModule[]>,
): ReadonlyMap<string, ReadonlyMap<string, readonly VariantModule[]>> {
  const byVariant = new Map<string, Map<string, readonly VariantModule[]>>();
  for (const [uid, described] of modules) {
    const byArch = new Map<string, readonly VariantModule[]>();
    byVariant.set(uid, byArch);
    for (const arch of definition.variants.get(uid)?.arches ?? []) {
      const filters = settingsOf(definition, uid, arch).filterModules.map(filterOf);
      const kept = described.filter(({ build }) => !filters.some((isFiltered) => isFiltered(build)));
      byArch.set(
        arch,
        kept.map((module) => moduleOfArch(module, arch)),
      );
    }
  }
  return byVariant;
}

function filterOf(text: string): (build: KojiModuleBuild) => boolean {
  const [name = '', stream = '*'] = text.split(':');
  const isName = matchNamePattern(name);
  const isStream = matchNamePattern(stream);
  return (build) => isName(build.name) && isStream(build.stream);
}

function moduleOfArch({ build, documents }: DescribedModule, arch: string): VariantModule {
  const own = [arch, ...archListsOf(arch).native].find((candidate) => documents.has(candidate));
  const stream = own === undefined ? undefined : documents.get(own);
  if (stream !== undefined) return { stream, kojiTag: build.contentTag };
  throw new ReactorError(
    'module.arch_missing',
    `Module ${formatNsvc(build)} does not have metadata for arch ${arch} and is not filtered out via filter_modules option.`,
    { hint: `Name it in filter_modules for ${arch}.` },
  );
}

/** The `name.arch` of every artifact of a module on any arch: all that its package set may hold beside sources. */
export function artifactNamesOf(documents: Iterable<ModuleStream>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { artifacts } of documents) {
    for (const artifact of artifacts) {
      const { name, arch } = parseNevra(artifact);
      names.add(`${name}.${arch}`);
    }
  }
  return names;
}

import { ReactorError } from '../../model/errors.ts';
import { compareModuleVersions, formatNsvc, kojiStream, type ModuleRequest } from '../../model/nsvc.ts';
import { readModuleDependencies } from '../../rpm/module-dependencies.ts';
import type { KojiModuleBuild } from '../../upstream/koji/hub-modules.ts';
import { platformsOf } from './base-module.ts';
import { readModuleWords } from './module-request.ts';
import { warnAboutModules } from './module-warnings.ts';
import {
  requiredStreams,
  sortModules,
  streamsOf,
  type ModuleResolution,
  type ResolvedModule,
} from './resolved-module.ts';

/** What to resolve over Koji tags. */
export interface KojiModuleWish {
  /** The words of `source`. */
  readonly words: readonly string[];
  /** `modular_koji_tags`, the most important first. */
  readonly tags: readonly string[];
  /** False for the flag `no_deps`. */
  readonly withDependencies: boolean;
  readonly baseModuleNames: readonly string[];
}

/** A module build found in a tag. */
export interface TaggedModule {
  readonly id: number;
  readonly name: string;
  /** The stream as Koji writes it, with underscores. */
  readonly kojiStream: string;
  readonly version: string;
  readonly tagName: string;
}

/** What the resolution asks of Koji, all at one event. */
export interface ModuleHub {
  /** Builds of one module, or with null of all, in a tag and its parents. */
  listTaggedModules(tag: string, name?: string): Promise<readonly TaggedModule[]>;
  /** The tag and all it inherits from, in search order. */
  searchOrder(tag: string): Promise<readonly string[]>;
  searchBuilds(pattern: string): Promise<readonly number[]>;
  getModuleBuilds(ids: readonly number[]): Promise<readonly (KojiModuleBuild | null)[]>;
}

/**
 * Resolves modules over tags: of each stream the topmost tag that has it, there the highest version with all its
 * contexts; exact requests need not be tagged. Throws `module.unknown`, `module.conflict`, `module.invalid`, the codes of
 * `readModuleDependencies` and of the hub. Source: module contract 3; docs/modules.md for what is mended.
 */
export async function resolveKojiModules(wish: KojiModuleWish, hub: ModuleHub): Promise<ModuleResolution> {
  const bare = wish.words.find((word) => !word.includes(':'));
  if (bare !== undefined) {
    throw new ReactorError('module.invalid', `${bare} is not in N:S[:V[:C]] format`, {
      hint: 'Name the module and its stream, for example nodejs:18; dashed names are read over MBS only.',
    });
  }
  const words = readModuleWords(wish.words, { baseModuleNames: wish.baseModuleNames, allowDashed: false });
  const found = new Map<string, readonly ResolvedModule[]>();
  for (const word of words) {
    if (word.kind !== 'exact') continue;
    const { request } = word;
    const key = `${request.name}:${request.stream}`;
    const builds =
      request.version === undefined ? await findInTags(wish, hub, request) : await findExact(hub, request);
    if (builds.length === 0) throw unknown(wish, request);
    const earlier = found.get(key) ?? [];
    checkVersions(earlier, builds);
    found.set(key, [...earlier, ...builds]);
  }
  const requested = streamsOf([...found.values()].flat());
  if (wish.withDependencies) await addDependencies(wish, hub, found);
  const modules = sortModules([...found.values()].flat());
  return { modules, requested, warnings: warnAboutModules(modules, wish.baseModuleNames) };
}

async function addDependencies(
  wish: KojiModuleWish,
  hub: ModuleHub,
  found: Map<string, readonly ResolvedModule[]>,
): Promise<void> {
  const queue = [...found.values()].flat();
  for (let module = queue.shift(); module !== undefined; module = queue.shift()) {
    for (const { name, stream } of requiredStreams(module, wish.baseModuleNames)) {
      const key = `${name}:${stream}`;
      if (found.has(key)) continue;
      const builds = await findInTags(wish, hub, { name, stream, text: key });
      if (builds.length === 0) throw unknown(wish, { name, stream, text: key }, module);
      found.set(key, builds);
      queue.push(...builds);
    }
  }
}

/** The first tag that has the stream answers. Source: module contract 3.1. */
async function findInTags(
  wish: KojiModuleWish,
  hub: ModuleHub,
  request: ModuleRequest,
): Promise<readonly ResolvedModule[]> {
  for (const tag of wish.tags) {
    const listed = await hub.listTaggedModules(tag, request.name);
    const candidates = listed.filter((build) => build.kojiStream === kojiStream(request.stream));
    if (candidates.length === 0) continue;
    const order = await hub.searchOrder(tag);
    const topmost = order.find((name) => candidates.some(({ tagName }) => tagName === name));
    const builds = candidates.filter(({ tagName }) => tagName === topmost);
    const newest = await newestOfStream(hub, builds, request.stream);
    if (newest.length > 0) return newest;
  }
  return [];
}

/**
 * The highest version whose builds are of this very stream: `a-b` and `a_b` share a name in Koji, and only the builds
 * know which they are.
 */
async function newestOfStream(
  hub: ModuleHub,
  builds: readonly TaggedModule[],
  stream: string,
): Promise<readonly ResolvedModule[]> {
  const versions = [...new Set(builds.map(({ version }) => version))]
    .sort(compareModuleVersions)
    .toReversed();
  for (const version of versions) {
    const ids = builds.filter((build) => build.version === version).map(({ id }) => id);
    const modules = (await hub.getModuleBuilds([...new Set(ids)])).filter(
      (build) => build?.stream === stream,
    );
    if (modules.length > 0) return modules.flatMap((build) => (build === null ? [] : [toResolved(build)]));
  }
  return [];
}

/** Not bound to the tags or the event; deleted and failed builds do not count. Source: module contract 3.2. */
async function findExact(hub: ModuleHub, request: ModuleRequest): Promise<readonly ResolvedModule[]> {
  const { name, stream, version, context } = request;
  if (/[*?[\]\\]/.test(request.text)) {
    throw new ReactorError('module.invalid', `${request.text} holds a glob character.`, {
      hint: 'Name the version and the context as they are, or leave them out.',
    });
  }
  const ids = await hub.searchBuilds(`${name}-${kojiStream(stream)}-${version}.${context ?? '*'}`);
  const builds = (await hub.getModuleBuilds(ids)).filter((build) => build !== null);
  return builds
    .filter((build) => build.build.state === 'complete' && build.name === name && build.stream === stream)
    .filter((build) => build.version === version && (context === undefined || build.context === context))
    .map(toResolved);
}

/** What a module build means to a compose. Throws the codes of `readModuleDependencies`. */
export function toResolved(build: KojiModuleBuild): ResolvedModule {
  const { name, stream, version, context } = build;
  const dependencies = readModuleDependencies(build.modulemd, `modulemd_str of ${build.build.nvr}`);
  return { name, stream, version, context, dependencies, platforms: platformsOf(dependencies, []) };
}

function checkVersions(earlier: readonly ResolvedModule[], later: readonly ResolvedModule[]): void {
  const [first, second] = [earlier[0], later[0]];
  if (first === undefined || second === undefined || first.version === second.version) return;
  throw new ReactorError('module.conflict', `${formatNsvc(second)} conflicts with ${formatNsvc(first)}`, {
    hint: 'Ask for one version of each stream.',
  });
}

function unknown(wish: KojiModuleWish, request: ModuleRequest, neededBy?: ResolvedModule): ReactorError {
  const place = request.version === undefined ? `the Koji tags ${wish.tags.join(' ')}` : 'Koji';
  const why = neededBy === undefined ? '' : ` It is required by ${formatNsvc(neededBy)}.`;
  return new ReactorError('module.unknown', `Failed to find module ${request.text} in ${place}.${why}`, {
    hint: 'Check the name and the stream, dashes included, and whether the build is tagged.',
  });
}

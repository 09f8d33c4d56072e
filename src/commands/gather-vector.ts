import { resolve } from 'node:path';
import { z } from 'zod';
import {
  fileSourcesOf,
  gatherWithFiles,
  loadRepositories,
  readComps,
} from '../composer/gather/load-repositories.ts';
import { brokenDependencies, shortNevra, type GatherResult } from '../composer/gather/gather-result.ts';
import { inputOfGroups } from '../rpm/comps.ts';
import type { RepositoryContext } from '../rpm/repodata/location.ts';
import { isGlob } from '../model/name-pattern.ts';

const conditional = z.union([
  z
    .object({ name: z.string(), install: z.string() })
    .transform(({ name, install }) => ({ trigger: name, install })),
  z.object({ trigger: z.string(), install: z.string() }),
  z
    .object({ requires: z.string(), name: z.string() })
    .transform(({ requires, name }) => ({ trigger: requires, install: name })),
  z.tuple([z.string(), z.string()]).transform(([trigger, install]) => ({ trigger, install })),
]);

/** One question to gather, in the notation of the recorded answers. */
export const gatherVector = z.object({
  name: z.string().default(''),
  repo: z.string(),
  lookaside: z.union([z.string(), z.array(z.string())]).nullish(),
  arch: z.string().default('x86_64'),
  packages: z.array(z.string()).default([]),
  groups: z.array(z.string()).default([]),
  conditional_packages: z.array(conditional).default([]),
  flags: z
    .object({
      greedy_method: z.enum(['none', 'build', 'all']).default('none'),
      resolve_deps: z.boolean().default(true),
      selfhosting: z.boolean().default(false),
      fulltree: z.boolean().default(false),
      fulltree_excludes: z.array(z.string()).default([]),
      exclude_source: z.boolean().default(false),
      exclude_debug: z.boolean().default(false),
      langpacks: z.array(z.object({ name: z.string(), install: z.string() })).default([]),
      multilib_methods: z.array(z.enum(['none', 'all', 'runtime', 'devel'])).default([]),
      multilib_blacklist: z.array(z.string()).default([]),
      multilib_whitelist: z.array(z.string()).default([]),
      prepopulate: z.array(z.string()).default([]),
    })
    .prefault({}),
});

export type GatherVector = z.infer<typeof gatherVector>;

/** The answer to a vector, in the notation of the recorded `expected`. */
export interface VectorAnswer {
  readonly name: string;
  readonly rpms: readonly string[];
  readonly srpms: readonly string[];
  readonly debuginfo: readonly string[];
  readonly broken_deps: Readonly<Record<string, readonly string[]>>;
  /** Input patterns that matched no package. */
  readonly unmatched_patterns: readonly string[];
}

/** Names as the recorded answers have them: no epoch when it is 0, `nosrc` packages as `src`. */
function namesOf(result: GatherResult, ids: readonly number[]): string[] {
  const names = ids.map((id) => shortNevra(result.index.nevraOf(id)).replace(/\.nosrc$/, '.src'));
  return [...new Set(names)].sort();
}

/**
 * Returns one vector. Relative repository names resolve below `repos`. Throws what loading and gathering throw, and
 * `comps.group_missing`.
 */
export async function answerVector(
  context: RepositoryContext,
  vector: GatherVector,
  repos: string,
): Promise<VectorAnswer> {
  const asides = vector.lookaside === null || vector.lookaside === undefined ? [] : [vector.lookaside].flat();
  const locate = (name: string): string =>
    /^[a-z][a-z0-9+.-]*:\/\//i.test(name) ? name : resolve(repos, name);
  const loaded = await loadRepositories(context, [
    { location: locate(vector.repo), isLookaside: false },
    ...asides.map((name) => ({ location: locate(name), isLookaside: true })),
  ]);
  const comps = await readComps(loaded);
  const ids = vector.groups.filter((group) => !isGlob(group));
  const input = inputOfGroups(comps, vector.groups.includes('*') ? comps.groups.map(({ id }) => id) : ids);
  const { flags } = vector;
  const result = await gatherWithFiles(context, loaded.index, fileSourcesOf(loaded), {
    arch: vector.arch,
    packages: [...vector.packages, ...input.packages],
    conditionals: [...vector.conditional_packages, ...input.conditionals],
    langpacks: [...flags.langpacks, ...comps.langpacks],
    greedy: flags.greedy_method,
    resolveDeps: flags.resolve_deps,
    selfhosting: flags.selfhosting,
    fulltree: flags.fulltree,
    fulltreeExcludes: flags.fulltree_excludes,
    excludeSource: flags.exclude_source,
    excludeDebug: flags.exclude_debug,
    multilibMethods: flags.multilib_methods,
    multilibBlacklist: flags.multilib_blacklist,
    multilibWhitelist: flags.multilib_whitelist,
    prepopulate: flags.prepopulate,
  });
  return {
    name: vector.name,
    rpms: namesOf(result, result.binary),
    srpms: namesOf(result, result.source),
    debuginfo: namesOf(result, result.debug),
    broken_deps: Object.fromEntries(brokenDependencies(result)),
    unmatched_patterns: [...result.missing].sort(),
  };
}

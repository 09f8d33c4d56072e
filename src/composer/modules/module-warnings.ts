import { formatNsvc } from '../../model/nsvc.ts';
import type { ModuleDependencies } from '../../rpm/modulemd.ts';
import type { ResolvedModule } from './resolved-module.ts';

/** What a set of modules would do to dnf, in sentences; empty when all is well. Source: module contract 6. */
export function warnAboutModules(
  modules: readonly ResolvedModule[],
  baseModuleNames: readonly string[],
): readonly string[] {
  const sentences = listUnmet(modules, baseModuleNames).map(
    ({ module, missing }) =>
      `${formatNsvc(module)} requires ${missing}, which the compose does not have: dnf can install it only where ` +
      'another repository does.',
  );
  return [...warnAboutPlatforms(modules), ...sentences];
}

function warnAboutPlatforms(modules: readonly ResolvedModule[]): readonly string[] {
  const bound = modules.filter(({ platforms }) => platforms !== null);
  const all = [...new Set(bound.flatMap(({ platforms }) => platforms ?? []))].sort();
  const isShared = all.some((platform) => bound.every(({ platforms }) => platforms?.includes(platform)));
  if (all.length < 2 || isShared) return [];
  const groups = all.map((platform) => {
    const members = bound.filter(({ platforms }) => platforms?.includes(platform)).map(formatNsvc);
    return `${platform} (${abridge(members)})`;
  });
  return [
    `The compose mixes modules for the platforms ${groups.join(' and ')}: dnf takes contexts of one stream for ` +
      'equal whatever their platform, and may install the wrong one. Name one platform with base_module_br_name ' +
      'and base_module_br_stream.',
  ];
}

function abridge(members: readonly string[]): string {
  return members.length <= 3
    ? members.join(', ')
    : `${members.slice(0, 3).join(', ')} and ${members.length - 3} more`;
}

/** A module that dnf cannot enable with these modules alone. */
export interface UnmetModule {
  readonly module: ResolvedModule;
  /** What its first alternative lacks, in words: `apple:main and any stream of num`. */
  readonly missing: string;
}

/** The modules none of whose alternatives is met by the others. */
export function listUnmet(
  modules: readonly ResolvedModule[],
  baseModuleNames: readonly string[],
): readonly UnmetModule[] {
  const streams = new Map<string, Set<string>>();
  for (const { name, stream } of modules) streams.set(name, (streams.get(name) ?? new Set()).add(stream));
  return modules.flatMap((module) => {
    const missing = module.dependencies.map((block) => unmet(block, streams, baseModuleNames));
    const [first] = missing;
    if (first === undefined || missing.some((names) => names.length === 0)) return [];
    return [{ module, missing: first.join(' and ') }];
  });
}

function unmet(
  block: ModuleDependencies,
  streams: ReadonlyMap<string, ReadonlySet<string>>,
  baseModuleNames: readonly string[],
): readonly string[] {
  return [...block.requires].flatMap(([name, wanted]) => {
    if (baseModuleNames.includes(name)) return [];
    const present = [...(streams.get(name) ?? [])];
    const allowed = wanted.filter((stream) => !stream.startsWith('-'));
    const refused = wanted.filter((stream) => stream.startsWith('-')).map((stream) => stream.slice(1));
    const isMet = present.some((stream) =>
      allowed.length > 0 ? allowed.includes(stream) : !refused.includes(stream),
    );
    if (isMet) return [];
    if (allowed.length > 0) return [allowed.map((stream) => `${name}:${stream}`).join(' or ')];
    return [`any stream of ${name}${refused.length > 0 ? ` but ${refused.join(', ')}` : ''}`];
  });
}

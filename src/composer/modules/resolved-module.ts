import { formatNsvc, type Nsvc } from '../../model/nsvc.ts';
import type { ModuleDependencies } from '../../rpm/modulemd.ts';

/** One module build of a compose, with what dnf will ask of it. */
export interface ResolvedModule extends Nsvc {
  readonly dependencies: readonly ModuleDependencies[];
  /** Platforms it can be used on; null for any. */
  readonly platforms: readonly string[] | null;
}

/** The module builds of a compose, sorted by NSVC, and what its reader should know before using it. */
export interface ModuleResolution {
  readonly modules: readonly ResolvedModule[];
  /** `name:stream` of what was asked for, in the order of the request. */
  readonly requested: readonly string[];
  readonly warnings: readonly string[];
}

/** Sorts by NSVC as plain text, each build once. Source: module contract 1.4. */
export function sortModules(modules: Iterable<ResolvedModule>): readonly ResolvedModule[] {
  const byNsvc = new Map([...modules].map((module) => [formatNsvc(module), module]));
  return [...byNsvc]
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    .map(([, module]) => module);
}

/** `name:stream` of each, once, in order. */
export function streamsOf(modules: readonly ResolvedModule[]): readonly string[] {
  return [...new Set(modules.map(({ name, stream }) => `${name}:${stream}`))];
}

/** A required module as it is looked for: `name` and one stream expression. */
export function* requiredStreams(
  module: ResolvedModule,
  baseModuleNames: readonly string[],
): Generator<{ readonly name: string; readonly stream: string }> {
  for (const { requires } of module.dependencies) {
    for (const [name, streams] of requires) {
      if (baseModuleNames.includes(name)) continue;
      for (const stream of streams) if (!stream.startsWith('-')) yield { name, stream };
    }
  }
}

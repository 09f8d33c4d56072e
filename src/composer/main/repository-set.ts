import { formatNevra } from '../../model/nevra.ts';
import type { FileSource } from '../gather/complete-files.ts';
import type { GatherIndex } from '../gather/gather-index.ts';
import type { GatherContext } from '../gather/gather-run.ts';
import { gatherWithFiles } from '../gather/load-repositories.ts';
import type { MainDefinition } from './main-definition.ts';
import type { MainPackageSet } from './main-packages.ts';
import { inputOfArches } from './variant-inputs.ts';

/** Repositories that were read, and which of them each arch is made of. */
export interface ReadRepositories {
  readonly index: GatherIndex;
  readonly files: readonly FileSource[];
  /** Tree arch to numbers of repositories in the index, in the order of the configuration. */
  readonly byArch: ReadonlyMap<string, readonly number[]>;
}

/**
 * Gathers the package set of a compose of repositories: for every arch what a generous gather of all that any variant
 * asks for takes. Throws what `gatherWithFiles` throws. Source: main compose contract 5, pungi contract 2.2.
 */
export async function gatherRepositorySet(
  context: GatherContext,
  definition: MainDefinition,
  { index, files, byArch }: ReadRepositories,
): Promise<MainPackageSet> {
  const chosen = new Map<string, number>();
  for (const [arch, input] of inputOfArches(definition)) {
    const numbers = byArch.get(arch) ?? [];
    const rank = new Map(numbers.map((number, at) => [number, at]));
    const { repository } = index.columns;
    const visible = Uint8Array.from({ length: index.count }, (_, id) =>
      rank.has(repository.at(id)) ? 1 : 0,
    );
    const result = await gatherWithFiles(context, index, files, {
      arch,
      packages: [
        ...input.groupPackages,
        ...[
          ...input.additional,
          ...(definition.mappedPackages.get(arch) ?? []),
          ...(definition.prepopulated.get(arch) ?? []),
        ].map((wish) => (wish.arch === null ? wish.name : `${wish.name}.${wish.arch}`)),
        'system-release',
      ].filter((name) => !name.startsWith('-')),
      conditionals: input.conditionals,
      langpacks: input.langpacks,
      greedy: 'none',
      selfhosting: true,
      fulltree: true,
      multilibMethods: ['all'],
      visible,
    });
    for (const id of [...result.binary, ...result.debug, ...result.source]) {
      const nevra = formatNevra(index.nevraOf(id));
      if (!chosen.has(nevra)) chosen.set(nevra, id);
    }
  }
  return { name: 'repos', ids: [...chosen.values()], variants: null };
}

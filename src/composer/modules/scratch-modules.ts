import { ReactorError } from '../../model/errors.ts';
import { checkModuleRequest, formatNsvc } from '../../model/nsvc.ts';
import { archListsOf } from '../../model/arches.ts';
import { readModuleDocuments, type ModuleStream } from '../../rpm/modulemd.ts';
import type { Mbs, ModuleBuild } from '../../upstream/mbs.ts';
import { readTagPackages, type ModulePool, type PoolContext } from './module-pools.ts';

/**
 * Reads scratch modules, which only MBS knows: their documents come from it, their RPMs from the tag it names. Arches
 * they were not built for are left out. Throws `module.unknown`, `module.invalid`, `module.scratch_without_tag` and what MBS, the hub and
 * `readModuleDocuments` throw. Source: module contract 4.6.
 */
export async function loadScratchPools(
  context: PoolContext & { readonly mbs: Mbs },
  wanted: { readonly words: readonly string[]; readonly arches: readonly string[]; readonly event: number },
): Promise<readonly ModulePool[]> {
  const pools: ModulePool[] = [];
  for (const word of wanted.words) {
    const build = checkModuleRequest(await findScratchBuild(context.mbs, word));
    const { name, stream, version, context: contextName, kojiTag } = build;
    if (kojiTag === null) {
      throw new ReactorError('module.scratch_without_tag', `The scratch module ${word} has no Koji tag.`, {
        hint: `MBS says it is in state ${build.state}; wait until it is built.`,
        fate: 'retry',
      });
    }
    const texts = await context.mbs.readFinalModulemd(build.id);
    const documents = new Map<string, ModuleStream>();
    for (const arch of wanted.arches) {
      const text = [arch, ...archListsOf(arch).native].map((rpmArch) => texts.get(rpmArch)).find(Boolean);
      const read = text === undefined ? [] : readModuleDocuments(text, `${formatNsvc(build)} ${arch}`);
      const document = read.find((candidate) => candidate.kind === 'stream');
      if (document !== undefined) documents.set(arch, document);
    }
    const packages = await readTagPackages(context, kojiTag, wanted.event);
    pools.push({ name, stream, version, context: contextName, kojiTag, documents, packages });
  }
  return pools;
}

async function findScratchBuild(mbs: Mbs, word: string): Promise<ModuleBuild> {
  for await (const [build] of mbs.listModuleBuilds({ nsvc: word, states: [] })) {
    if (build !== undefined) return build;
  }
  throw new ReactorError('module.unknown', `Failed to find the scratch module ${word} in the MBS.`, {
    hint: 'Name it as MBS does, with the context that ends in _1 or the like.',
  });
}

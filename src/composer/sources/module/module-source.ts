import type { ComposeRequest } from '../../../model/compose.ts';
import { gatherMethodOf, packagesOf } from '../../../model/request-rules.ts';
import { ReactorError } from '../../../model/errors.ts';
import { splitModuleSource } from '../../../model/nsvc.ts';
import { listComps } from '../../documents/comps-document.ts';
import { readUntilTrue } from '../../koji/read-until-true.ts';
import { kojiModuleHub } from '../../modules/koji-module-hub.ts';
import { resolveKojiModules, type ModuleHub } from '../../modules/resolve-koji-modules.ts';
import { resolveModules } from '../../modules/resolve-modules.ts';
import type { ModuleResolution } from '../../modules/resolved-module.ts';
import { mbsOf, readEvent, selectModules, type ModuleResources } from '../../modules/select-modules.ts';
import type { SelectPackages } from '../../selection.ts';

/**
 * The source type `module`. Its select throws `module.packages_refused`, `module.requirement_missing`, `mbs.not_configured`
 * and what resolving, the pools, git and the offer throw. Source: module contract 1 to 5.
 */
export function createModuleSource(resources: ModuleResources): SelectPackages {
  return async (context, request) => {
    if (packagesOf(request) !== null) {
      throw new ReactorError(
        'module.packages_refused',
        'Exact packages cannot be set for MODULE source type.',
        {
          hint: 'A module compose holds its modules whole; leave packages out.',
        },
      );
    }
    const { selection, reader } = await readUntilTrue(context, request.modularKojiTags ?? [], async () => {
      const event = await readEvent(resources, context, request);
      context.progress('resolve modules', 0, 1, 'step');
      const hub = kojiModuleHub(resources.koji.hub, event.id, { signal: context.signal });
      const resolution = await resolveRequest(resources, request, hub);
      return {
        selected: await selectModules(resources, context, request, { resolution, event }),
        isTrue: hub.isTrue,
      };
    });
    const comps = listComps(selection.trees);
    return { selection: { ...selection, documents: [...comps, ...selection.documents] }, reader };
  };
}

async function resolveRequest(
  resources: ModuleResources,
  request: ComposeRequest,
  hub: ModuleHub,
): Promise<ModuleResolution> {
  const words = request.source.flatMap(splitModuleSource);
  const { baseModuleNames } = resources;
  const withDependencies = gatherMethodOf(request) === 'deps';
  const tags = request.modularKojiTags ?? [];
  if (tags.length > 0) return resolveKojiModules({ words, tags, withDependencies, baseModuleNames }, hub);
  if (words.length === 0) return { modules: [], requested: [], warnings: [] };
  const includeDone = request.flags.includes('include_done_modules');
  const wish = { words, withDependencies, includeDone, baseModuleNames, baseModule: request.baseModule };
  return resolveModules(wish, mbsOf(resources));
}

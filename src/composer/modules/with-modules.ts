import { readUntilTrue } from '../koji/read-until-true.ts';
import { kojiModuleHub } from './koji-module-hub.ts';
import { mergeSelections } from './merge-selections.ts';
import { resolveWholeTags } from './resolve-whole-tags.ts';
import { readEvent, selectModules, type ModuleResources } from './select-modules.ts';
import type { SelectPackages } from '../selection.ts';

/**
 * Adds to what another source type selected the modules that the request names in `modules` and `scratch_modules`, and
 * all of its `modular_koji_tags`: a hybrid compose. Throws what the source and the modules throw. Source: module contract 1.3 and 4.6.
 */
export function withModules(select: SelectPackages, resources: ModuleResources): SelectPackages {
  return async (context, request) => {
    const selected = await select(context, request);
    const tags = request.modularKojiTags ?? [];
    const named = [...(request.modules ?? []), ...(request.scratchModules ?? [])];
    if (named.length === 0 && tags.length === 0) return selected;
    const { kojiEvent } = selected.selection.pins;
    const modules = await readUntilTrue(context, tags, async () => {
      const event = await readEvent(resources, context, { ...request, kojiEvent });
      const { hub: koji } = resources.koji;
      const hub = kojiModuleHub(koji, event.id, { signal: context.signal });
      const resolution = await resolveWholeTags(tags, resources.baseModuleNames, hub);
      return {
        selected: await selectModules(resources, context, request, { resolution, event }),
        isTrue: hub.isTrue,
      };
    });
    return mergeSelections(selected, modules);
  };
}

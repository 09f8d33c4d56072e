import { compareModuleVersions } from '../../model/nsvc.ts';
import { warnAboutModules } from './module-warnings.ts';
import { toResolved, type ModuleHub, type TaggedModule } from './resolve-koji-modules.ts';
import { sortModules, streamsOf, type ModuleResolution } from './resolved-module.ts';

/**
 * Every module of some tags, the most important tag first: of each stream the topmost tag that has it, there the highest
 * version with all its contexts. Nothing is added that they require. Throws `koji.tag_unknown` and the codes of
 * `readModuleDependencies`. Source: module contract 3.1; ODCS contract 16.
 */
export async function resolveWholeTags(
  tags: readonly string[],
  baseModuleNames: readonly string[],
  hub: ModuleHub,
): Promise<ModuleResolution> {
  const chosen = new Map<string, readonly TaggedModule[]>();
  for (const tag of tags) {
    const order = await hub.searchOrder(tag);
    const streams = Map.groupBy(
      await hub.listTaggedModules(tag),
      ({ name, kojiStream }) => `${name}:${kojiStream}`,
    );
    for (const [stream, builds] of streams) {
      if (!chosen.has(stream)) chosen.set(stream, newestOfTopmost(builds, order));
    }
  }
  const ids = [...chosen.values()].flat().map(({ id }) => id);
  const found = (await hub.getModuleBuilds([...new Set(ids)])).filter((build) => build !== null);
  const modules = sortModules(found.filter(({ name }) => !baseModuleNames.includes(name)).map(toResolved));
  return { modules, requested: streamsOf(modules), warnings: warnAboutModules(modules, baseModuleNames) };
}

function newestOfTopmost(builds: readonly TaggedModule[], order: readonly string[]): readonly TaggedModule[] {
  const topmost = order.find((tag) => builds.some(({ tagName }) => tagName === tag));
  const there = builds.filter(({ tagName }) => tagName === topmost);
  const newest = there
    .map(({ version }) => version)
    .sort(compareModuleVersions)
    .at(-1);
  return there.filter(({ version }) => version === newest);
}

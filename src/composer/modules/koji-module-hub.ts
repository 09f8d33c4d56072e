import { getModuleBuilds, searchBuilds } from '../../upstream/koji/hub-modules.ts';
import { getFullInheritance, listTagged } from '../../upstream/koji/hub-tags.ts';
import type { CallOptions, KojiHub } from '../../upstream/koji/hub.ts';
import type { ModuleHub } from './resolve-koji-modules.ts';

/**
 * A hub at one event, as the resolution of modules asks it; the inheritance of a tag is read once. Its calls throw
 * `koji.tag_unknown` and what the hub throws.
 */
export function kojiModuleHub(hub: KojiHub, event: number, options: CallOptions = {}): ModuleHub {
  const orders = new Map<string, Promise<readonly string[]>>();
  const readOrder = async (tag: string): Promise<readonly string[]> => [
    tag,
    ...(await getFullInheritance(hub, tag, { ...options, event })).map(({ name }) => name),
  ];
  return {
    async listTaggedModules(tag, name) {
      const query = { ...options, tag, event, inherit: true, latest: false, type: 'module' };
      const builds = await listTagged(hub, name === undefined ? query : { ...query, package: name });
      return builds.map((build) => ({
        id: build.id,
        name: build.packageName,
        kojiStream: build.version,
        version: build.release.split('.', 1)[0] ?? '',
        tagName: build.tagName ?? tag,
      }));
    },
    searchOrder(tag) {
      const order = orders.get(tag) ?? readOrder(tag);
      orders.set(tag, order);
      return order;
    },
    searchBuilds: (pattern) => searchBuilds(hub, pattern, options),
    getModuleBuilds: (ids) => getModuleBuilds(hub, ids, options),
  };
}

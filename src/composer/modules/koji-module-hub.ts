import { getModuleBuilds, searchBuilds } from '../../upstream/koji/hub-modules.ts';
import { arePinsTrue, pinTag, type KojiPin } from '../koji/pin.ts';
import { getFullInheritance, listTagged } from '../../upstream/koji/hub-tags.ts';
import type { CallOptions, KojiHub } from '../../upstream/koji/hub.ts';
import type { ModuleHub } from './resolve-koji-modules.ts';

/** A hub at one event, and whether what it said of tags still holds. */
export interface PinnedModuleHub extends ModuleHub {
  /** Returns whether no earlier event became visible in the tags that were asked for. */
  readonly isTrue: () => Promise<boolean>;
}

/**
 * Returns a hub at one event, as the resolution of modules asks it; every tag is pinned before it is read, and its
 * inheritance is read once. Its calls throw `koji.tag_unknown` and what the hub throws. Source: Koji contract 2.1.
 */
export function kojiModuleHub(hub: KojiHub, event: number, options: CallOptions = {}): PinnedModuleHub {
  const pins = new Map<string, Promise<KojiPin>>();
  const pin = (tag: string): Promise<KojiPin> => {
    const pinned = pins.get(tag) ?? pinTag(hub, { tag, event, inherit: true }, options);
    pins.set(tag, pinned);
    return pinned;
  };
  const orders = new Map<string, Promise<readonly string[]>>();
  const readOrder = async (tag: string): Promise<readonly string[]> => {
    await pin(tag);
    return [tag, ...(await getFullInheritance(hub, tag, { ...options, event })).map(({ name }) => name)];
  };
  return {
    async listTaggedModules(tag, name) {
      await pin(tag);
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
    isTrue: async () => arePinsTrue(hub, await Promise.all(pins.values()), options),
  };
}

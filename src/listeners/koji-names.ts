import { groupByHub, joinHub, pickHub, splitHub, type HubName } from '../model/hub-name.ts';
import type { EnrichSources } from './enrich.ts';

type KojiNames = NonNullable<EnrichSources['koji']>;

/** Asks of each name the hub that it names, and writes what comes back the same way. */
export function kojiNames(hubs: ReadonlyMap<HubName, KojiNames>): KojiNames {
  return {
    async tagsFedBy(tag) {
      const { hub, name } = splitHub(tag);
      return (await pickHub(hubs, hub).tagsFedBy(name)).map((fed) => joinHub(hub, fed));
    },
    async binaryNames(nvrs) {
      const known = new Map<string, readonly string[]>();
      for (const [hub, names] of groupByHub(nvrs)) {
        const found = await pickHub(hubs, hub).binaryNames(names);
        for (const [nvr, packages] of found) known.set(joinHub(hub, nvr), packages);
      }
      return known;
    },
  };
}

import { groupByHub, joinHub, pickHub, splitHub, type HubName } from '../model/hub-name.ts';
import type { KojiState } from './require.ts';

/**
 * Asks of each name the hub that it names: `brew:rhel-9-candidate`. What comes back is written the same way. Each of
 * them throws `koji.hub_unknown` and what the hub throws.
 */
export function kojiStates(hubs: ReadonlyMap<HubName, KojiState>): KojiState {
  const ask = <Answer>(text: string, asked: (koji: KojiState, name: string) => Promise<Answer>) => {
    const { hub, name } = splitHub(text);
    return asked(pickHub(hubs, hub), name);
  };
  return {
    packagesOfTag: async (tag) => ask(tag, (koji, name) => koji.packagesOfTag(name)),
    isTagThere: async (tag) => ask(tag, (koji, name) => koji.isTagThere(name)),
    tagState: async (tag) => ask(tag, (koji, name) => koji.tagState(name)),
    async openBuilds(tag) {
      const { hub } = splitHub(tag);
      const nvrs = await ask(tag, (koji, name) => koji.openBuilds(name));
      return nvrs.map((nvr) => joinHub(hub, nvr));
    },
    async unsignedBuilds(nvrs, keys) {
      const unsigned: string[] = [];
      for (const [hub, names] of groupByHub(nvrs)) {
        const found = await pickHub(hubs, hub).unsignedBuilds(names, keys);
        unsigned.push(...found.map((nvr) => joinHub(hub, nvr)));
      }
      return unsigned;
    },
    async signaturesOfTag(tag, keys) {
      const { hub } = splitHub(tag);
      const found = await ask(tag, (koji, name) => koji.signaturesOfTag(name, keys));
      return found === null ? null : { ...found, unsigned: found.unsigned.map((nvr) => joinHub(hub, nvr)) };
    },
    async changesOfTag(tag, afterEvent) {
      const { hub } = splitHub(tag);
      const { taggings, hasOthers } = await ask(tag, (koji, name) => koji.changesOfTag(name, afterEvent));
      return {
        taggings: taggings.map((tagging) => ({ ...tagging, tagName: joinHub(hub, tagging.tagName) })),
        hasOthers,
      };
    },
  };
}

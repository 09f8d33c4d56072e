import { LRUCache } from 'lru-cache';
import type { CacheSize } from '../cache/cache-registry.ts';
import { configuredProfiles } from '../composer/koji/open-koji.ts';
import type { Config } from '../config.ts';
import type { EnrichSources } from '../listeners/enrich.ts';
import type { BodhiChanges } from '../listeners/reconcile/bodhi.ts';
import { kojiNames } from '../listeners/koji-names.ts';
import type { KojiChanges } from '../listeners/reconcile/koji.ts';
import type { MbsChanges } from '../listeners/reconcile/mbs.ts';
import type { RepositoryChanges } from '../listeners/reconcile/repository.ts';
import type { Log } from '../log.ts';
import type { HubName } from '../model/hub-name.ts';
import { kojiState } from '../rules/koji-state.ts';
import { kojiStates } from '../rules/koji-states.ts';
import { modulesState } from '../rules/modules-state.ts';
import type { StateSources } from '../rules/require.ts';
import { connectBodhi } from '../upstream/bodhi.ts';
import { connectErrata } from '../upstream/errata.ts';
import { binaryNamesOf } from '../upstream/koji/binary-names.ts';
import { getBuildOwner } from '../upstream/koji/hub-builds.ts';
import { getLastEvent, queryTagHistory } from '../upstream/koji/hub-events.ts';
import type { KojiHub } from '../upstream/koji/hub.ts';
import type { KojiProfile } from '../upstream/koji/koji-profile.ts';
import { openHub } from '../upstream/koji/open-hub.ts';
import { tagsFedBy } from '../upstream/koji/tags-fed-by.ts';
import { connectMbs } from '../upstream/mbs.ts';
import { openWatchedRepositories } from './open-watched-repositories.ts';

/** The systems that rules check and events are enriched from, as far as they are configured. */
export interface Upstreams extends Disposable {
  readonly state: StateSources;
  readonly enrich: EnrichSources;
  readonly changes: ChangeSources;
  /** Returns how much of what they said is kept. */
  measure(): readonly CacheSize[];
}

/** The systems that are looked through for changes no message told. */
export interface ChangeSources {
  /** By hub; empty where no Koji is configured. */
  readonly kojis: ReadonlyMap<HubName, KojiChanges>;
  readonly mbs?: MbsChanges;
  readonly bodhi?: BodhiChanges;
  /** By path or URL, as the settings call them. */
  readonly repositories: ReadonlyMap<string, RepositoryChanges>;
}

/** A minute of events of so many tags asks a hub once for each tag. */
const KEPT_MS = 60_000;
const MOST_KEPT = 5_000;
/** A hub that takes a call and says nothing must not keep what other hubs are asked waiting. */
const SILENCE_MS = 60_000;
const REST_MS = 5_000;

/** Opens them by the settings. Throws what reading the Koji profile throws. */
export function openUpstreams(config: Config, log: Log): Upstreams {
  const patience = { tries: 3, offlineMs: 0, silenceMs: SILENCE_MS, restMs: REST_MS };
  const open = (name: HubName, profile: KojiProfile): KojiHub =>
    openHub(profile, {
      patience,
      onRetry: (err, waitMs) => log.warn({ err, waitMs, hub: name }, 'a call to the Koji hub is tried again'),
    });
  const hubs = new Map([...configuredProfiles(config)].map(([name, profile]) => [name, open(name, profile)]));
  const ofHubs = <Value>(make: (hub: KojiHub) => Value): ReadonlyMap<HubName, Value> =>
    new Map([...hubs].map(([name, hub]) => [name, make(hub)]));
  const names = ofHubs(keptNames);
  const watched = openWatchedRepositories(config);
  const bodhi = config.bodhi_url === '' ? null : connectBodhi(config.bodhi_url);
  const mbs = config.mbs_url === '' ? null : connectMbs({ url: config.mbs_url });
  const errata = config.errata_url === '' ? null : connectErrata(config.errata_url);
  return {
    state: {
      ...(hubs.size === 0 ? {} : { koji: kojiStates(ofHubs(kojiState)) }),
      ...(bodhi === null
        ? {}
        : { bodhi: { updateStatus: async (alias) => (await bodhi.getUpdate(alias))?.status ?? null } }),
      ...(errata === null
        ? {}
        : { errata: { advisoryStatus: async (id) => (await errata.getAdvisory(id))?.status ?? null } }),
      ...(mbs === null ? {} : { mbs: modulesState(mbs) }),
    },
    enrich: {
      ...(hubs.size === 0 ? {} : { koji: kojiNames(names) }),
      ...(bodhi === null ? {} : { bodhi }),
      ...(errata === null ? {} : { errata }),
    },
    changes: {
      kojis: ofHubs(kojiChanges),
      ...(mbs === null ? {} : { mbs }),
      ...(bodhi === null ? {} : { bodhi }),
      repositories: watched.changes,
    },
    measure: () => [
      {
        name: 'tags fed by others',
        entries: [...names.values()].reduce((sum, { size }) => sum + size, 0),
        bytes: null,
      },
    ],
    [Symbol.dispose]() {
      for (const hub of hubs.values()) hub.close();
      watched[Symbol.dispose]();
    },
  };
}

function kojiChanges(hub: KojiHub): KojiChanges {
  return {
    lastEvent: (before) => getLastEvent(hub, before === undefined ? {} : { before }),
    history: (afterEvent) => queryTagHistory(hub, { afterEvent }),
    ownerOf: (buildId) => getBuildOwner(hub, buildId),
  };
}

/** The names a hub tells. It is asked once for all who want to know which tags one feeds within a minute. */
function keptNames(hub: KojiHub) {
  const kept = new LRUCache<string, readonly string[]>({
    max: MOST_KEPT,
    ttl: KEPT_MS,
    ignoreFetchAbort: true,
    fetchMethod: (tag) => tagsFedBy(hub, tag),
  });
  return {
    tagsFedBy: async (tag: string) => (await kept.fetch(tag)) ?? [],
    binaryNames: (nvrs: readonly string[]) => binaryNamesOf(hub, nvrs),
    get size() {
      return kept.size;
    },
  };
}

import { configuredProfile } from '../composer/koji/open-koji.ts';
import type { Config } from '../config.ts';
import type { EnrichSources } from '../listeners/enrich.ts';
import type { BodhiChanges } from '../listeners/reconcile/bodhi.ts';
import type { KojiChanges } from '../listeners/reconcile/koji.ts';
import type { MbsChanges } from '../listeners/reconcile/mbs.ts';
import type { Log } from '../log.ts';
import { kojiState } from '../rules/koji-state.ts';
import type { StateSources } from '../rules/require.ts';
import { connectBodhi } from '../upstream/bodhi.ts';
import { connectErrata } from '../upstream/errata.ts';
import { binaryNamesOf } from '../upstream/koji/binary-names.ts';
import { getBuildOwner } from '../upstream/koji/hub-builds.ts';
import { getLastEvent, queryTagHistory } from '../upstream/koji/hub-events.ts';
import type { KojiHub } from '../upstream/koji/hub.ts';
import { openHub } from '../upstream/koji/open-hub.ts';
import { tagsFedBy } from '../upstream/koji/tags-fed-by.ts';
import { connectMbs } from '../upstream/mbs.ts';

/** The systems that rules check and events are enriched from, as far as they are configured. */
export interface Upstreams extends Disposable {
  readonly state: StateSources;
  readonly enrich: EnrichSources;
  readonly changes: ChangeSources;
}

/** The systems that are looked through for changes no message told. */
export interface ChangeSources {
  readonly koji?: KojiChanges;
  readonly mbs?: MbsChanges;
  readonly bodhi?: BodhiChanges;
}

const KEEP_MS = 60_000;

/** Opens them by the settings. Throws what reading the Koji profile throws. */
export function openUpstreams(config: Config, log: Log): Upstreams {
  const profile = configuredProfile(config);
  const patience = { tries: 3, offlineMs: 0 };
  const onRetry = (err: unknown, waitMs: number): void =>
    log.warn({ err, waitMs }, 'a call to the Koji hub is tried again');
  const hub = profile === null ? null : openHub(profile, { patience, onRetry });
  const bodhi = config.bodhi_url === '' ? null : connectBodhi(config.bodhi_url);
  const errata = config.errata_url === '' ? null : connectErrata(config.errata_url);
  return {
    state: {
      ...(hub === null ? {} : { koji: kojiState(hub) }),
      ...(bodhi === null
        ? {}
        : { bodhi: { updateStatus: async (alias) => (await bodhi.getUpdate(alias))?.status ?? null } }),
      ...(errata === null
        ? {}
        : { errata: { advisoryStatus: async (id) => (await errata.getAdvisory(id))?.status ?? null } }),
    },
    enrich: {
      ...(hub === null
        ? {}
        : {
            koji: {
              tagsFedBy: keepFor(KEEP_MS, (tag: string) => tagsFedBy(hub, tag)),
              binaryNames: (nvrs) => binaryNamesOf(hub, nvrs),
            },
          }),
      ...(bodhi === null ? {} : { bodhi }),
      ...(errata === null ? {} : { errata }),
    },
    changes: {
      ...(hub === null ? {} : { koji: kojiChanges(hub) }),
      ...(config.mbs_url === '' ? {} : { mbs: connectMbs({ url: config.mbs_url }) }),
      ...(bodhi === null ? {} : { bodhi }),
    },
    [Symbol.dispose]() {
      hub?.close();
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

/** Asks once for all who want the same within a time; what failed is asked again. */
function keepFor<T>(milliseconds: number, ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const kept = new Map<string, { readonly until: number; readonly answer: Promise<T> }>();
  return (key) => {
    const now = performance.now();
    for (const [old, { until }] of kept) if (until < now) kept.delete(old);
    const known = kept.get(key);
    if (known !== undefined) return known.answer;
    const answer = ask(key);
    kept.set(key, { until: now + milliseconds, answer });
    answer.catch(() => kept.delete(key));
    return answer;
  };
}

import { keepLastUsed } from '../../last-used.ts';
import type { Cache } from '../../cache/cache-registry.ts';
import type { Clock } from '../../clock.ts';
import type { DatabaseHandle } from '../../database/database-handle.ts';
import type { Log } from '../../log.ts';
import { errorFields, messageOf } from '../../model/errors.ts';
import type { AdvisorySource, BuildAdvisory, ListAdvisories } from '../../upstream/build-advisory.ts';
import { openAdvisoryEvents, type AdvisoryEventReader } from './advisory-events.ts';
import { mapBounded } from './map-bounded.ts';

/** What is known of the advisories about some builds. */
export interface FoundAdvisories {
  readonly advisories: readonly BuildAdvisory[];
  /** A sentence about what could not be found out. */
  readonly remark: string | null;
}

export interface AdvisoryFinder extends Cache {
  /** Finds the advisories about builds as far as the time allows; throws only the reason of the signal. */
  find(nvrs: readonly string[], context: { signal: AbortSignal; log: Log }): Promise<FoundAdvisories>;
}

export interface AdvisoryFinderContext {
  readonly source: AdvisorySource;
  /** The stored events that tell of its advisories. */
  readonly events: AdvisoryEventReader;
  /** Where they are stored; null where there are none. */
  readonly kysely: DatabaseHandle | null;
  readonly clock: Clock;
  /** The longest a compose waits for it. */
  readonly limitMs?: number;
}

const LIMIT_MS = 10_000;
/** How long an answer counts if no event tells of its update. */
const KEEP_MS = 60 * 60_000;
/** How long a system is left alone after it did not answer. */
const REST_MS = 60_000;
const MOST_BUILDS = 100_000;
const CALLS_AT_ONCE = 4;

/**
 * Opens what finds advisories by the builds they are about: the system that has them is asked, many builds at once, and its
 * answers are kept until an event says that something of a build changed. Where it does not answer, the stored events
 * tell what they know.
 */
export function openAdvisoryFinder(context: AdvisoryFinderContext): AdvisoryFinder {
  const kept = keepLastUsed<{ readonly until: number; readonly found: readonly BuildAdvisory[] }>(
    MOST_BUILDS,
  );
  const { source } = context;
  const events = openAdvisoryEvents(context, context.events, (nvr) => kept.delete(nvr));
  let restsUntil = 0;
  const ask = async (list: ListAdvisories, nvrs: readonly string[], signal: AbortSignal): Promise<void> => {
    const found = await list(nvrs, signal);
    const until = context.clock.now().getTime() + KEEP_MS;
    for (const nvr of nvrs)
      kept.set(nvr, { until, found: found.filter((advisory) => advisory.nvrs.includes(nvr)) });
  };
  return {
    measure: () => [
      { name: 'advisories of builds', entries: kept.size, bytes: null },
      { name: 'advisories of events', entries: events.size, bytes: null },
    ],
    async find(nvrs, { signal, log }) {
      await events.update(log);
      const now = context.clock.now().getTime();
      const missing = [...new Set(nvrs)].filter((nvr) => (kept.get(nvr)?.until ?? 0) <= now).sort();
      let trouble = now < restsUntil ? `${source.name} did not answer a moment ago` : null;
      if (trouble === null && missing.length > 0) {
        const deadline = AbortSignal.timeout(context.limitMs ?? LIMIT_MS);
        const until = AbortSignal.any([signal, deadline]);
        const list = source.begin();
        try {
          await mapBounded(batchesOf(source, missing), CALLS_AT_ONCE, (some) => ask(list, some, until));
        } catch (error) {
          signal.throwIfAborted();
          restsUntil = context.clock.now().getTime() + REST_MS;
          log.warn(
            { ...errorFields(error), system: source.name, builds: missing.length },
            'a system tells no advisories',
          );
          trouble = deadline.aborted ? `${source.name} is slow` : messageOf(error).replace(/\.$/, '');
        }
      }
      const unknown = missing.filter((nvr) => !kept.has(nvr));
      const known = nvrs.flatMap((nvr) => kept.get(nvr)?.found ?? []);
      const told = events.advisoriesOf(unknown);
      const advisories = uniteById([...told, ...known]);
      if (unknown.length === 0) return { advisories, remark: null };
      const why = trouble ?? `${source.name} is not asked about so many builds at once`;
      return { advisories, remark: `${why}: advisories about some builds may be missing or incomplete.` };
    },
  };
}

function batchesOf(
  { buildsPerCall, mostCalls }: AdvisorySource,
  nvrs: readonly string[],
): readonly (readonly string[])[] {
  const count = Math.min(mostCalls, Math.ceil(nvrs.length / buildsPerCall));
  return Array.from({ length: count }, (_, at) => nvrs.slice(at * buildsPerCall, (at + 1) * buildsPerCall));
}

/** Returns each advisory once, with the builds of all that have its id and the texts of the last. */
function uniteById(advisories: readonly BuildAdvisory[]): readonly BuildAdvisory[] {
  const byId = new Map<string, { readonly nvrs: Set<string>; last: BuildAdvisory }>();
  for (const found of advisories) {
    const same = byId.get(found.advisory.id) ?? { nvrs: new Set(), last: found };
    for (const nvr of found.nvrs) same.nvrs.add(nvr);
    same.last = found;
    byId.set(found.advisory.id, same);
  }
  return [...byId.values()].map(({ nvrs, last }) => ({ ...last, nvrs: [...nvrs].sort() }));
}

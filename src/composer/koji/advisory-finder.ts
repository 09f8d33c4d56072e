import { keepLastUsed } from '../../last-used.ts';
import type { Cache } from '../../cache/cache-registry.ts';
import type { Clock } from '../../clock.ts';
import type { DatabaseHandle } from '../../database/database-handle.ts';
import { pageInputEvents } from '../../database/input-events.ts';
import type { Log } from '../../log.ts';
import { errorFields, messageOf } from '../../model/errors.ts';
import type { BodhiUpdateEvent } from '../../model/event.ts';
import {
  BUILDS_PER_CALL,
  cveReference,
  severityOf,
  type BodhiAdvisories,
  type BuildAdvisory,
} from '../../upstream/bodhi-advisories.ts';
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
  readonly bodhi: BodhiAdvisories;
  /** Where events of updates are stored; null where there are none. */
  readonly handle: DatabaseHandle | null;
  readonly clock: Clock;
  /** The longest a compose waits for it. */
  readonly limitMs?: number;
}

const LIMIT_MS = 10_000;
/** How long an answer counts if no event tells of its update. */
const KEEP_MS = 60 * 60_000;
/** How long Bodhi is left alone after it did not answer. */
const REST_MS = 60_000;
const MOST_BUILDS = 100_000;
const MOST_CALLS = 100;
const CALLS_AT_ONCE = 4;
const EVENTS_BACK_MS = 7 * 24 * 60 * 60_000;
const EVENTS_PER_PAGE = 500;
const MOST_PAGES = 20;

/**
 * Opens what finds advisories by the builds they are about: Bodhi is asked, many builds at once, and its answers are kept
 * until an event says that an update of a build changed. Where Bodhi does not answer, the stored events of pushed
 * updates tell what they know.
 */
export function openAdvisoryFinder(context: AdvisoryFinderContext): AdvisoryFinder {
  const kept = keepLastUsed<{ readonly until: number; readonly found: readonly BuildAdvisory[] }>(
    MOST_BUILDS,
  );
  const events = openUpdateEvents(context, (nvr) => kept.delete(nvr));
  let restsUntil = 0;
  const ask = async (nvrs: readonly string[], signal: AbortSignal): Promise<void> => {
    const found = await context.bodhi.listOfBuilds(nvrs, signal);
    const until = context.clock.now().getTime() + KEEP_MS;
    for (const nvr of nvrs) kept.set(nvr, { until, found: found.filter((one) => one.nvrs.includes(nvr)) });
  };
  return {
    measure: () => [
      { name: 'advisories of builds', entries: kept.size, bytes: null },
      { name: 'advisories of events', entries: events.size, bytes: null },
    ],
    async find(nvrs, { signal, log }) {
      await events.read(log);
      const now = context.clock.now().getTime();
      const missing = [...new Set(nvrs)].filter((nvr) => (kept.get(nvr)?.until ?? 0) <= now).sort();
      let trouble = now < restsUntil ? 'Bodhi did not answer a moment ago' : null;
      if (trouble === null && missing.length > 0) {
        const deadline = AbortSignal.timeout(context.limitMs ?? LIMIT_MS);
        try {
          await mapBounded(batchesOf(missing), CALLS_AT_ONCE, (some) =>
            ask(some, AbortSignal.any([signal, deadline])),
          );
        } catch (error) {
          signal.throwIfAborted();
          restsUntil = context.clock.now().getTime() + REST_MS;
          log.warn({ ...errorFields(error), builds: missing.length }, 'Bodhi tells no advisories');
          trouble = deadline.aborted ? 'Bodhi is slow' : messageOf(error).replace(/\.$/, '');
        }
      }
      const unknown = missing.filter((nvr) => !kept.has(nvr));
      const known = nvrs.flatMap((nvr) => kept.get(nvr)?.found ?? []);
      const told = events.advisoriesOf(unknown);
      const advisories = [...new Map([...told, ...known].map((one) => [one.advisory.id, one])).values()];
      if (unknown.length === 0) return { advisories, remark: null };
      const why = trouble ?? 'Bodhi is not asked about so many builds at once';
      return { advisories, remark: `${why}: advisories about some builds may be missing or incomplete.` };
    },
  };
}

function batchesOf(nvrs: readonly string[]): readonly (readonly string[])[] {
  const count = Math.min(MOST_CALLS, Math.ceil(nvrs.length / BUILDS_PER_CALL));
  return Array.from({ length: count }, (_, at) =>
    nvrs.slice(at * BUILDS_PER_CALL, (at + 1) * BUILDS_PER_CALL),
  );
}

interface UpdateEvents {
  /** Reads the events that came since the last time, and says which builds they are about. */
  read(log: Log): Promise<void>;
  /** What the events tell of builds. */
  advisoriesOf(nvrs: readonly string[]): readonly BuildAdvisory[];
  /** How many builds the events tell of. */
  readonly size: number;
}

/** Follows the stored events of updates. What cannot be read is not told; Bodhi's own answers grow old all the same. */
function openUpdateEvents(
  { handle, clock }: Pick<AdvisoryFinderContext, 'handle' | 'clock'>,
  onChange: (nvr: string) => void,
): UpdateEvents {
  const byBuild = keepLastUsed<BuildAdvisory>(MOST_BUILDS);
  let afterId = 0;
  const note = (event: BodhiUpdateEvent, at: string): void => {
    for (const { nvr } of event.builds) {
      onChange(nvr);
      if (event.phase === 'eject') byBuild.delete(nvr);
      if (event.phase === 'complete') byBuild.set(nvr, fromEvent(event, at));
    }
  };
  return {
    async read(log) {
      if (handle === null) return;
      const since = new Date(clock.now().getTime() - EVENTS_BACK_MS);
      try {
        for (let page = 0; page < MOST_PAGES; page += 1) {
          const rows = await pageInputEvents(handle, {
            kinds: ['bodhi.update'],
            since,
            afterId,
            limit: EVENTS_PER_PAGE,
          });
          for (const { id, input } of rows) {
            afterId = Math.max(afterId, id);
            if (input.event.kind === 'bodhi.update') note(input.event, input.receivedAt);
          }
          if (rows.length === 0) return;
        }
      } catch (error) {
        log.warn(errorFields(error), 'stored events of updates cannot be read');
      }
    },
    get size() {
      return byBuild.size;
    },
    advisoriesOf: (nvrs) => nvrs.flatMap((nvr) => byBuild.get(nvr) ?? []),
  };
}

/** Says of an update what its event knows. */
function fromEvent(event: BodhiUpdateEvent, receivedAt: string): BuildAdvisory {
  const nvrs = event.builds.map(({ nvr }) => nvr).sort();
  const time = receivedAt.slice(0, 19).replace('T', ' ');
  const { alias, release = '' } = event;
  return {
    nvrs,
    advisory: {
      id: alias,
      from: '',
      status: event.status ?? event.transition ?? '',
      type: event.type ?? '',
      version: '2.0',
      title: nvrs.join(', '),
      issued: time,
      updated: time,
      severity: severityOf(event.severity ?? ''),
      release,
      rights: '',
      summary: '',
      description: '',
      solution: '',
      references: [...(event.cves ?? [])].sort().map(cveReference),
    },
    collection: { short: release, name: release },
    suggests: [],
  };
}

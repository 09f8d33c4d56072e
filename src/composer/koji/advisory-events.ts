import { keepLastUsed } from '../../last-used.ts';
import type { Clock } from '../../clock.ts';
import type { DatabaseHandle } from '../../database/database-handle.ts';
import { pageInputEvents } from '../../database/input-events.ts';
import type { Log } from '../../log.ts';
import { errorFields } from '../../model/errors.ts';
import type { BodhiUpdateEvent, ErrataEvent, EventKind, InputEvent } from '../../model/event.ts';
import { severityOf } from '../../upstream/bodhi-advisories.ts';
import { cveReference, type BuildAdvisory } from '../../upstream/build-advisory.ts';
import { nameOfAdvisory, typeOfAdvisory } from '../../upstream/errata-advisories.ts';

/** What an event says of the advisories about builds. */
export interface AdvisoryNews {
  /** The builds of which something is not as it was. */
  readonly nvrs: readonly string[];
  /** What is known of their advisory now; null where it is theirs no more; undefined where the event does not say. */
  readonly advisory?: BuildAdvisory | null;
}

/** The events that tell of the advisories of one system, and how they are read. */
export interface AdvisoryEventReader {
  readonly kinds: readonly EventKind[];
  /** Returns what an event says, or undefined where it says nothing of builds. */
  readonly read: (input: InputEvent) => AdvisoryNews | undefined;
}

/** Follows stored events about advisories. */
export interface AdvisoryEvents {
  /** Reads the events that came since the last time, and says which builds they are about. */
  update(log: Log): Promise<void>;
  /** Returns what the events tell of builds. */
  advisoriesOf(nvrs: readonly string[]): readonly BuildAdvisory[];
  /** How many builds the events tell of. */
  readonly size: number;
}

const EVENTS_BACK_MS = 7 * 24 * 60 * 60_000;
const EVENTS_PER_PAGE = 500;
const MOST_PAGES = 20;
const MOST_BUILDS = 100_000;

/** Opens what follows stored events. What cannot be read is passed over; what is kept grows old all the same. */
export function openAdvisoryEvents(
  { kysely, clock }: { readonly kysely: DatabaseHandle | null; readonly clock: Clock },
  reader: AdvisoryEventReader,
  onChange: (nvr: string) => void,
): AdvisoryEvents {
  const byBuild = keepLastUsed<BuildAdvisory>(MOST_BUILDS);
  let afterId = 0;
  const note = ({ nvrs, advisory }: AdvisoryNews): void => {
    for (const nvr of nvrs) {
      onChange(nvr);
      if (advisory === null) byBuild.delete(nvr);
      else if (advisory !== undefined) byBuild.set(nvr, advisory);
    }
  };
  return {
    async update(log) {
      if (kysely === null) return;
      const since = new Date(clock.now().getTime() - EVENTS_BACK_MS);
      try {
        for (let page = 0; page < MOST_PAGES; page += 1) {
          const { kinds } = reader;
          const rows = await pageInputEvents(kysely, { kinds, since, afterId, limit: EVENTS_PER_PAGE });
          for (const { id, input } of rows) {
            afterId = Math.max(afterId, id);
            const news = reader.read(input);
            if (news !== undefined) note(news);
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

/** Events of Bodhi's updates: those that were pushed have an advisory, those that were ejected have none. */
export const bodhiEvents: AdvisoryEventReader = {
  kinds: ['bodhi.update'],
  read: ({ event, receivedAt }) => {
    if (event.kind !== 'bodhi.update') return undefined;
    const nvrs = event.builds.map(({ nvr }) => nvr);
    if (event.phase === 'eject') return { nvrs, advisory: null };
    return event.phase === 'complete'
      ? { nvrs, advisory: adviseOfUpdate(event, timeOf(receivedAt)) }
      : { nvrs };
  },
};

/** Events of Errata Tool: advisories that were shipped are told of, builds that were taken out have none. */
export const errataEvents: AdvisoryEventReader = {
  kinds: ['errata.status', 'errata.builds'],
  read: ({ event, receivedAt }) => {
    if (event.kind !== 'errata.status' && event.kind !== 'errata.builds') return undefined;
    const nvrs = (event.builds ?? []).map(({ nvr }) => nvr);
    if (event.kind === 'errata.builds') {
      return event.action === 'remove' ? { nvrs, advisory: null } : { nvrs };
    }
    if (event.to === 'DROPPED_NO_SHIP') return { nvrs, advisory: null };
    const advisory = adviseOfErrata(event, timeOf(receivedAt));
    return advisory === null ? { nvrs } : { nvrs, advisory };
  },
};

/** Says of an update what its event knows. */
function adviseOfUpdate(event: BodhiUpdateEvent, time: string): BuildAdvisory {
  const nvrs = event.builds.map(({ nvr }) => nvr).sort();
  const { alias, release = '' } = event;
  return {
    nvrs,
    advisory: {
      id: alias,
      ...emptyTexts,
      status: event.status ?? event.transition ?? '',
      type: event.type ?? '',
      version: '2.0',
      title: nvrs.join(', '),
      issued: time,
      updated: time,
      severity: severityOf(event.severity ?? ''),
      release,
      references: [...(event.cves ?? [])].sort().map(cveReference),
    },
    collection: { short: release, name: release },
    suggests: [],
  };
}

/** Says of an advisory what its event knows; null where it was not shipped, or does not say what it is called. */
function adviseOfErrata(event: ErrataEvent, time: string): BuildAdvisory | null {
  const { name, synopsis, severity = 'None' } = event;
  if (event.embargoed || event.to !== 'SHIPPED_LIVE' || name === undefined) return null;
  const id = nameOfAdvisory(name);
  return {
    nvrs: (event.builds ?? []).map(({ nvr }) => nvr).sort(),
    advisory: {
      id,
      ...emptyTexts,
      status: 'final',
      type: typeOfAdvisory(event.type ?? id.slice(0, 4)),
      version: '1',
      title: synopsis ?? id,
      issued: time,
      updated: time,
      severity,
      release: '',
      references: [],
    },
    collection: { short: '', name: '' },
    suggests: [],
  };
}

const emptyTexts = { from: '', rights: '', summary: '', description: '', solution: '' };

function timeOf(receivedAt: string): string {
  return receivedAt.slice(0, 19).replace('T', ' ');
}

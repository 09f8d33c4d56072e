import type { BodhiUpdateEvent, DomainEvent, ErrataEvent, EventBuild, KojiTagEvent } from '../model/event.ts';
import { parseNvr } from '../model/nevra.ts';
import type { Bodhi } from '../upstream/bodhi.ts';
import type { Errata } from '../upstream/errata.ts';

/** The systems that know what a bus does not say; one that is not configured is left out. */
export interface EnrichSources {
  readonly koji?: {
    tagsFedBy(tag: string): Promise<readonly string[]>;
    /** Names of binary packages by NVR; a build that is not known is left out. */
    binaryNames(nvrs: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  };
  readonly bodhi?: Bodhi;
  readonly errata?: Errata;
}

/** Whether one of the sources can tell something that the event lacks. Source: RULES 4.1, messages contract 3. */
export function needsEnrichment(sources: EnrichSources, event: DomainEvent): boolean {
  switch (event.kind) {
    case 'koji.tag':
    case 'koji.untag':
      return sources.koji !== undefined && event.feeds === undefined;
    case 'bodhi.update':
      return (
        (sources.bodhi !== undefined && isUpdateBare(event)) ||
        (sources.koji !== undefined && isPushed(event) && event.builds.some(isBuildBare))
      );
    case 'errata.status':
      if (event.embargoed) return false;
      return event.builds === undefined
        ? sources.errata !== undefined
        : sources.koji !== undefined && event.builds.some(isBuildBare);
    default:
      return false;
  }
}

/**
 * The event with what its sources add; what it says itself stays. An object the source does not know adds nothing.
 * Throws what the sources throw.
 */
export async function enrichEvent(sources: EnrichSources, event: DomainEvent): Promise<DomainEvent> {
  if (!needsEnrichment(sources, event)) return event;
  switch (event.kind) {
    case 'koji.tag':
    case 'koji.untag':
      return enrichTag(sources, event);
    case 'bodhi.update':
      return enrichUpdate(sources, event);
    case 'errata.status':
      return enrichAdvisory(sources, event);
    default:
      return event;
  }
}

async function enrichTag({ koji }: EnrichSources, event: KojiTagEvent): Promise<KojiTagEvent> {
  return koji === undefined ? event : { ...event, feeds: await koji.tagsFedBy(event.tag) };
}

async function enrichUpdate(sources: EnrichSources, event: BodhiUpdateEvent): Promise<BodhiUpdateEvent> {
  const whole = isUpdateBare(event) ? await askBodhi(sources, event) : event;
  return isPushed(whole) ? { ...whole, builds: await withRpms(sources, whole.builds) } : whole;
}

function isUpdateBare(event: BodhiUpdateEvent): boolean {
  return event.type === undefined || event.severity === undefined;
}

/** Of the many messages about an update those that rules compose on. */
function isPushed(event: BodhiUpdateEvent): boolean {
  return event.phase === 'complete';
}

function isBuildBare(build: EventBuild): boolean {
  return build.rpms === undefined;
}

async function withRpms({ koji }: EnrichSources, builds: readonly EventBuild[]): Promise<EventBuild[]> {
  const bare = builds.filter(isBuildBare).map(({ nvr }) => nvr);
  if (koji === undefined || bare.length === 0) return [...builds];
  const known = await koji.binaryNames(bare);
  return builds.map((build) => {
    const rpms = build.rpms ?? known.get(build.nvr);
    return rpms === undefined ? build : { ...build, rpms };
  });
}

async function askBodhi({ bodhi }: EnrichSources, event: BodhiUpdateEvent): Promise<BodhiUpdateEvent> {
  const update = (await bodhi?.getUpdate(event.alias)) ?? null;
  if (update === null) return event;
  return {
    ...event,
    ...(event.type === undefined && update.type !== null ? { type: update.type } : {}),
    ...(event.severity === undefined && update.severity !== null ? { severity: update.severity } : {}),
    ...(event.release === undefined && update.release !== null ? { release: update.release } : {}),
    ...(event.status === undefined && update.status !== null ? { status: update.status } : {}),
    ...(event.builds.length === 0 ? { builds: update.nvrs.flatMap(buildOf) } : {}),
  };
}

async function enrichAdvisory(sources: EnrichSources, event: ErrataEvent): Promise<ErrataEvent> {
  const whole = event.builds === undefined ? await askErrata(sources, event) : event;
  return whole.builds === undefined ? whole : { ...whole, builds: await withRpms(sources, whole.builds) };
}

async function askErrata({ errata }: EnrichSources, event: ErrataEvent): Promise<ErrataEvent> {
  const advisory = (await errata?.getAdvisory(event.id)) ?? null;
  if (advisory === null) return event;
  return {
    ...event,
    ...(event.name === undefined && advisory.name !== null ? { name: advisory.name } : {}),
    ...(event.severity === undefined && advisory.severity !== null ? { severity: advisory.severity } : {}),
    ...(event.content_types === undefined && advisory.contentTypes.length > 0
      ? { content_types: advisory.contentTypes }
      : {}),
    builds: advisory.nvrs.flatMap(buildOf),
  };
}

function buildOf(nvr: string): EventBuild[] {
  try {
    return [{ nvr, package: parseNvr(nvr).name }];
  } catch {
    return [];
  }
}

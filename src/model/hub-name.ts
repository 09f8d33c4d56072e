import type { ComposeRequest } from './compose.ts';
import { ReactorError } from './errors.ts';
import { checkName, isName } from './names.ts';

/** The Koji hub that a name is of: null is the default one, whose names are written without it. */
export type HubName = string | null;

/** A tag, build or task with the hub that it is of. */
export interface NameOfHub {
  readonly hub: HubName;
  readonly name: string;
}

/** Splits `brew:rhel-9-candidate` into hub and name; a name without a hub is of the default one. */
export function splitHub(text: string): NameOfHub {
  const colon = text.indexOf(':');
  const hub = text.slice(0, Math.max(0, colon));
  return isName('hub', hub) ? { hub, name: text.slice(colon + 1) } : { hub: null, name: text };
}

/** Writes a name of a hub as requests, rules and events name it. */
export function joinHub(hub: HubName, name: string): string {
  return hub === null ? name : `${hub}:${name}`;
}

/** Returns what a Koji is called beside other systems: `koji`, or `koji:brew`. */
export function nameOfKoji(hub: HubName): string {
  return hub === null ? 'koji' : `koji:${hub}`;
}

/** Returns what a map of hubs has of one. Throws `koji.hub_unknown`. */
export function pickHub<Value>(hubs: ReadonlyMap<HubName, Value>, hub: HubName): Value {
  const found = hubs.get(hub);
  if (found !== undefined) return found;
  throw new ReactorError('koji.hub_unknown', `No Koji hub is called "${hub ?? ''}" here.`, {
    hint: `Known are: ${[...hubs.keys()].filter((name) => name !== null).join(', ')}.`,
  });
}

/** Sorts names by the hub that they are of, in the order in which each hub is first named. */
export function groupByHub(names: readonly string[]): ReadonlyMap<HubName, readonly string[]> {
  const groups = new Map<HubName, string[]>();
  for (const text of names) {
    const { hub, name } = splitHub(text);
    groups.set(hub, [...(groups.get(hub) ?? []), name]);
  }
  return groups;
}

/**
 * Returns the one hub that some names speak of: whichever of them says it says it for all, so that names without a hub
 * beside `brew:rhel-9-candidate` are of `brew`. Throws `koji.hubs_mixed`.
 */
function onlyHubOf(names: readonly string[]): HubName {
  const [first = null, ...others] = new Set(
    names.map((name) => splitHub(name).hub).filter((hub) => hub !== null),
  );
  if (others.length === 0) return first;
  throw new ReactorError(
    'koji.hubs_mixed',
    `A compose is made from one Koji hub, not from ${[first, ...others].join(' and ')}.`,
    { hint: 'Ask for one compose of each, and for a compose of both.' },
  );
}

type NamesOfHub = Pick<
  ComposeRequest,
  'sourceType' | 'source' | 'builds' | 'modularKojiTags' | 'scratchBuildTasks'
>;

/** Returns the hub that a request is to be made from. Throws `koji.hubs_mixed`. */
export function hubOfRequest(request: NamesOfHub): HubName {
  const { builds, modularKojiTags, scratchBuildTasks } = request;
  const tags = request.sourceType === 'tag' ? request.source : [];
  return onlyHubOf([tags, builds ?? [], modularKojiTags ?? [], scratchBuildTasks ?? []].flat());
}

/** Returns a request as its own hub knows the names in it: without the hub. */
export function withoutHub<Request extends NamesOfHub>(request: Request): Request {
  const strip = (names: readonly string[]): readonly string[] => names.map((text) => splitHub(text).name);
  const { sourceType, source, builds, modularKojiTags, scratchBuildTasks } = request;
  return {
    ...request,
    source: sourceType === 'tag' ? strip(source) : source,
    builds: builds && strip(builds),
    modularKojiTags: modularKojiTags && strip(modularKojiTags),
    scratchBuildTasks: scratchBuildTasks && strip(scratchBuildTasks),
  };
}

/**
 * Returns the hub that the body of a request speaks of, as far as that can be seen: the default one where it is no
 * body that could be composed. For what is compared within a series.
 */
export function hubOfBody(body: Readonly<Record<string, unknown>>): HubName {
  const source = body['source'];
  if (typeof source !== 'object' || source === null) return null;
  const entries = new Map<string, unknown>(Object.entries(source));
  const keys = ['builds', 'modular_koji_tags', 'scratch_build_tasks'];
  if (entries.get('type') === 'tag') keys.unshift('source');
  for (const key of keys) {
    const value = entries.get(key);
    for (const name of Array.isArray(value) ? value : [value]) {
      const hub = typeof name === 'string' ? splitHub(name).hub : null;
      if (hub !== null) return hub;
    }
  }
  return null;
}

/**
 * Checks a name that may say its hub: written as names of its kind are, and of a hub that is configured. Throws
 * `request.invalid_name`, `request.unknown_hub`.
 */
export function checkHubOf(
  text: string,
  kind: 'hubTag' | 'hubNvr',
  known: { readonly where: string; readonly hubs: readonly string[] },
): void {
  if (!text.includes(':')) return;
  const { where, hubs } = known;
  checkName(kind, text, { code: 'request.invalid_name', where });
  const { hub, name } = splitHub(text);
  if (hub === null || hubs.includes(hub)) return;
  throw new ReactorError('request.unknown_hub', `No Koji hub is called "${hub}" here.`, {
    where,
    hint: hubs.length === 0 ? `Write ${name} alone.` : `Known are: ${hubs.join(', ')}.`,
  });
}

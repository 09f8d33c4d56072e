import { ReactorError } from '../model/errors.ts';
import type { JsonObject, JsonValue, Requirement } from '../model/rule.ts';
import type { TreeChanges } from '../upstream/koji/tag-changes.ts';
import { dayNames } from './requirement-names.ts';

/** Whether a state check is met, or what it waits for as a clause without a full stop. */
export type RequirementState = { readonly met: true } | { readonly met: false; readonly waiting: string };

/** What state checks ask of the systems around; each answer is read anew from its source. */
export interface StateSources {
  readonly koji?: KojiState;
  /** Null where there is no such update, or advisory. */
  readonly bodhi?: { updateStatus(alias: string): Promise<string | null> };
  readonly errata?: { advisoryStatus(id: number): Promise<string | null> };
  readonly mbs?: ModulesState;
  readonly composes?: { seriesState(series: string): Promise<SeriesState> };
}

export interface KojiState {
  /** Package names of the latest builds of a tag, inheritance left out; null where the tag does not exist. */
  packagesOfTag(tag: string): Promise<ReadonlySet<string> | null>;
  /** NVRs of builds under way whose target puts them in the tag. */
  openBuilds(tag: string): Promise<readonly string[]>;
  /** NVRs of those builds whose RPMs are not all signed, by one of the keys where some are named. */
  unsignedBuilds(nvrs: readonly string[], keys: readonly string[]): Promise<readonly string[]>;
  /**
   * The latest builds of a tag, inheritance left out, and which of them have RPMs that are not signed, by one of the keys
   * where some are named; null where the tag does not exist.
   */
  signaturesOfTag(tag: string, keys: readonly string[]): Promise<TagSignatures | null>;
  isTagThere(tag: string): Promise<boolean>;
  /** How a tag is: when it last changed, inheritance included. */
  tagState(tag: string): Promise<TagState>;
  /** What happened in a tag and those it inherits from after an event. */
  changesOfTag(tag: string, afterEvent: number): Promise<TreeChanges>;
}

/** How many builds a tag has, and the NVRs of those that are not signed. */
export interface TagSignatures {
  readonly builds: number;
  readonly unsigned: readonly string[];
}

/** What state checks ask MBS. */
export interface ModulesState {
  /** Whether it has a build of `N:S[:V[:C]]` that is not garbage. */
  isModuleThere(nsvc: string): Promise<boolean>;
  /** The states of the contexts of the newest version of `N:S` that was built for a stream of the platform. */
  newestStates(module: string, platform: string): Promise<readonly string[]>;
}

/** Whether a tag is there, and the last change that it shows; `untold` where the hub is too old to tell that. */
export type TagState =
  | { readonly kind: 'gone' }
  | { readonly kind: 'untold' }
  | { readonly kind: 'changed'; readonly event: number; readonly at: Date };

export interface SeriesState {
  readonly running: boolean;
  readonly finished: boolean;
}

/**
 * Evaluates one state check whose templates are filled. Throws `require.unavailable` (retry) where the system it
 * asks is not configured or the parameters do not fit, and whatever the upstream client throws.
 */
export async function checkRequirement(
  requirement: Requirement,
  sources: StateSources,
  now: Date,
): Promise<RequirementState> {
  const { check, parameters } = requirement;
  switch (check) {
    case 'koji.tag_exists': {
      const tag = text(parameters, 'tag');
      return (await koji(sources).packagesOfTag(tag)) === null ? waiting(`there is no tag ${tag}`) : met;
    }
    case 'koji.tag_has_packages': {
      const tag = text(parameters, 'tag');
      const present = await koji(sources).packagesOfTag(tag);
      if (present === null) return waiting(`there is no tag ${tag}`);
      const missing = list(parameters, 'packages').filter((name) => !present.has(name));
      return missing.length === 0
        ? met
        : waiting(`${shorten(missing)} ${missing.length === 1 ? 'is' : 'are'} not in ${tag}`);
    }
    case 'koji.no_open_builds': {
      const tag = text(parameters, 'tag');
      const open = await koji(sources).openBuilds(tag);
      return open.length === 0 ? met : waiting(`${shorten(open)} still building for ${tag}`);
    }
    case 'koji.builds_signed': {
      const keys = parameters['keys'] === undefined ? [] : list(parameters, 'keys');
      const unsigned = await koji(sources).unsignedBuilds(list(parameters, 'builds'), keys);
      return unsigned.length === 0 ? met : waiting(`${shorten(unsigned)} not signed`);
    }
    case 'koji.tag_signed':
      return checkTagSigned(parameters, sources);
    case 'mbs.module_ready':
      return checkModuleReady(parameters, sources);
    case 'bodhi.update_status': {
      if (sources.bodhi === undefined) throw unavailable('Bodhi');
      const alias = text(parameters, 'alias');
      const wanted = list(parameters, 'is');
      const status = await sources.bodhi.updateStatus(alias);
      return status !== null && wanted.includes(status)
        ? met
        : waiting(`${alias} is ${status ?? 'unknown to Bodhi'}, not ${wanted.join(' or ')}`);
    }
    case 'composes.finished':
      return checkSeries(parameters, sources);
    case 'time.window':
      return checkTime(parameters, now);
    default:
      throw new ReactorError('require.unknown', `There is no state check "${check}".`);
  }
}

const met: RequirementState = { met: true };

function waiting(what: string): RequirementState {
  return { met: false, waiting: what };
}

async function checkSeries(parameters: JsonObject, sources: StateSources): Promise<RequirementState> {
  if (sources.composes === undefined) throw unavailable('The list of composes');
  const isNoneRunning = parameters['none_running'] !== false;
  for (const series of list(parameters, 'series')) {
    const state = await sources.composes.seriesState(series);
    if (!state.finished) return waiting(`series ${series} has no finished compose`);
    if (isNoneRunning && state.running) return waiting(`series ${series} is being composed`);
  }
  return met;
}

/** The tag is read anew each time: a build that was untagged meanwhile is waited for no longer. */
async function checkTagSigned(parameters: JsonObject, sources: StateSources): Promise<RequirementState> {
  const tag = text(parameters, 'tag');
  const keys = parameters['keys'] === undefined ? [] : list(parameters, 'keys');
  const signatures = await koji(sources).signaturesOfTag(tag, keys);
  if (signatures === null) return waiting(`there is no tag ${tag}`);
  if (signatures.builds === 0) return waiting(`nothing is in ${tag}`);
  const { unsigned } = signatures;
  return unsigned.length === 0 ? met : waiting(`${shorten(unsigned)} in ${tag} not signed`);
}

/** All contexts of the newest version that was built for each platform have to be ready. */
async function checkModuleReady(parameters: JsonObject, sources: StateSources): Promise<RequirementState> {
  if (sources.mbs === undefined) throw unavailable('MBS');
  const module = text(parameters, 'module');
  const missing: string[] = [];
  for (const platform of list(parameters, 'platforms')) {
    const states = await sources.mbs.newestStates(module, platform);
    const others = [...new Set(states.filter((state) => state !== 'ready'))];
    if (states.length === 0) missing.push(`not built for ${platform}`);
    else if (others.length > 0) missing.push(`${others.join(' and ')} for ${platform}`);
  }
  return missing.length === 0 ? met : waiting(`${module} is ${missing.join(', ')}`);
}

/** Whether now lies between two times of day in a zone (UTC by default); from after to spans midnight. */
function checkTime(parameters: JsonObject, now: Date): RequirementState {
  const zone = parameters['zone'] === undefined ? 'UTC' : text(parameters, 'zone');
  const from = text(parameters, 'from');
  const to = text(parameters, 'to');
  const { day, time } = localTime(now, zone);
  const days =
    parameters['days'] === undefined
      ? dayNames
      : list(parameters, 'days').map((name) => name.slice(0, 3).toLowerCase());
  const isSpanning = from > to;
  const isInside = isSpanning ? time >= from || time < to : time >= from && time < to;
  const counted = isSpanning && time < to ? dayNames[(dayNames.indexOf(day) + 6) % 7] : day;
  return isInside && counted !== undefined && days.includes(counted)
    ? met
    : waiting(
        `it is ${day} ${time} ${zone}, outside ${from} to ${to}${days.length === 7 ? '' : ` on ${days.join(', ')}`}`,
      );
}

function localTime(now: Date, zone: string): { readonly day: string; readonly time: string } {
  try {
    const parts = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }).formatToParts(now);
    const part = (type: string): string => parts.find((part) => part.type === type)?.value ?? '';
    return { day: part('weekday').toLowerCase(), time: `${part('hour')}:${part('minute')}` };
  } catch (error) {
    throw new ReactorError('require.zone_unknown', `There is no time zone "${zone}".`, { cause: error });
  }
}

function koji(sources: StateSources): KojiState {
  if (sources.koji === undefined) throw unavailable('Koji');
  return sources.koji;
}

function unavailable(system: string): ReactorError {
  return new ReactorError(
    'require.unavailable',
    `${system} is not configured, so its state cannot be checked.`,
    {
      hint: 'Configure it, or take the check out of the rule.',
    },
  );
}

function text(parameters: JsonObject, key: string): string {
  const value = parameters[key];
  if (typeof value === 'string') return value;
  throw new ReactorError('require.parameter_invalid', `"${key}" is not one text.`);
}

function list(parameters: JsonObject, key: string): readonly string[] {
  const value: JsonValue | undefined = parameters[key];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.filter((element: unknown) => typeof element === 'string');
  throw new ReactorError('require.parameter_invalid', `"${key}" is no list of names.`);
}

function shorten(names: readonly string[]): string {
  return names.length <= 5
    ? names.join(', ')
    : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}

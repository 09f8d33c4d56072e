import { parseDuration } from './duration.ts';
import { ReactorError } from './errors.ts';
import { checkName } from './names.ts';
import { isJsonObject, listField, namesField, refuseRequest, type JsonObject } from './request-fields.ts';
import type { SourceType } from '../source-types.ts';

/** Which builds are under embargo. */
export interface Embargo {
  /** Every build in one of these tags is. */
  readonly tags: readonly string[];
  /** NVRs, or globs of such, that are. */
  readonly builds: readonly string[];
  /** A build that is in one of these tags, or in what they inherit, is not any more. */
  readonly shippedTags: readonly string[];
}

/** How builds are chosen from Koji tags. Source: container contract 3. */
export interface TagOptions {
  /** Names of source packages, or globs, that alone are taken; null for all. */
  readonly only: readonly string[] | null;
  /** Names of source packages, or globs, that are not taken. */
  readonly except: readonly string[];
  /** Arches whose packages need no signature. */
  readonly unsignedArches: readonly string[];
  /** How long packages that are not signed yet are waited for; 0 for not at all. */
  readonly waitForSignaturesMs: number;
  readonly embargo: Embargo | null;
  /** Builds of some packages that were tagged before the newest are taken too. */
  readonly previousBuilds: { readonly packages: readonly string[]; readonly count: number } | null;
  /** What is older than the build of its package in this tag is left out; null for no such tag. */
  readonly releasedTag: string | null;
}

/** The keys of `source` that make them. */
const keys = [
  'only',
  'except',
  'unsigned_arches',
  'wait_for_signatures',
  'embargo',
  'previous_builds',
  'released_tag',
] as const;

/** Returns whether a key of `source` says how builds are chosen. */
export function isTagOption(key: string): boolean {
  return (keys as readonly string[]).includes(key);
}

const LONGEST_WAIT_MS = 15 * 60_000;
const MOST_PREVIOUS = 10;
const MOST_TAGS = 20;
const MOST_PATTERNS = 1000;

/** Koji lets tags be called nearly anything; this is what all known ones are like. */
const tagName = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,255}$/;

/**
 * Returns how the `source` of a request wants its builds chosen, null where it does not say. Throws `request.invalid_value`,
 * `request.invalid_name`, `request.tag_options_elsewhere`.
 */
export function tagOptionsOf(source: JsonObject, type: SourceType): TagOptions | null {
  const given = keys.filter((key) => source[key] !== undefined);
  if (given.length === 0) return null;
  if (type !== 'tag') {
    throw new ReactorError(
      'request.tag_options_elsewhere',
      `Only a source of type tag can have ${given.map((key) => `"${key}"`).join(', ')}.`,
    );
  }
  return {
    only: patternsField(source, 'only'),
    except: patternsField(source, 'except') ?? [],
    unsignedArches: namesField(source, 'unsigned_arches', 'arch') ?? [],
    waitForSignaturesMs: waitOf(source['wait_for_signatures']),
    embargo: embargoOf(source['embargo']),
    previousBuilds: previousOf(source['previous_builds']),
    releasedTag: source['released_tag'] === undefined ? null : tagOf(source['released_tag'], 'released_tag'),
  };
}

/** Returns the options as a request writes them, without what is not for everybody: which builds are under embargo. */
export function tagOptionsJson(options: TagOptions): Readonly<Record<string, unknown>> {
  const { only, except, unsignedArches, waitForSignaturesMs, embargo, previousBuilds, releasedTag } = options;
  return {
    ...(only === null ? {} : { only }),
    ...(except.length === 0 ? {} : { except }),
    ...(unsignedArches.length === 0 ? {} : { unsigned_arches: unsignedArches }),
    ...(waitForSignaturesMs === 0 ? {} : { wait_for_signatures: `${waitForSignaturesMs / 1000}s` }),
    ...(embargo === null ? {} : { embargo: { tags: embargo.tags, shipped_tags: embargo.shippedTags } }),
    ...(previousBuilds === null ? {} : { previous_builds: previousBuilds }),
    ...(releasedTag === null ? {} : { released_tag: releasedTag }),
  };
}

function embargoOf(value: unknown): Embargo | null {
  if (value === undefined) return null;
  const embargo = strictObject(value, 'embargo', ['tags', 'builds', 'shipped_tags']);
  const tags = tagsField(embargo, 'tags');
  const builds = patternsField(embargo, 'builds') ?? [];
  if (tags.length === 0 && builds.length === 0) {
    refuseRequest('request.invalid_value', 'embargo should have tags or builds');
  }
  return { tags, builds, shippedTags: tagsField(embargo, 'shipped_tags') };
}

function previousOf(value: unknown): TagOptions['previousBuilds'] {
  if (value === undefined) return null;
  const previous = strictObject(value, 'previous_builds', ['packages', 'count']);
  const { count = 1 } = previous;
  const packages = patternsField(previous, 'packages') ?? [];
  if (packages.length === 0) refuseRequest('request.invalid_value', 'previous_builds should name packages');
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > MOST_PREVIOUS) {
    return refuseRequest(
      'request.invalid_value',
      `count of previous_builds should be a whole number from 1 to ${MOST_PREVIOUS}`,
    );
  }
  return { packages, count };
}

function waitOf(value: unknown): number {
  if (value === undefined) return 0;
  const wait = typeof value === 'string' ? parseDuration(value) : null;
  if (wait === null || wait > LONGEST_WAIT_MS) {
    return refuseRequest(
      'request.invalid_value',
      'wait_for_signatures should be a time like 90s or 15m, 15m at most',
    );
  }
  return wait;
}

function strictObject(value: unknown, key: string, known: readonly string[]): JsonObject {
  if (!isJsonObject(value)) return refuseRequest('request.invalid_value', `${key} should be an object`);
  const strange = Object.keys(value).find((name) => !known.includes(name));
  if (strange !== undefined) {
    refuseRequest(
      'request.invalid_value',
      `${key} has no "${strange.slice(0, 100)}", but ${known.join(', ')}`,
    );
  }
  return value;
}

function tagsField(object: JsonObject, key: string): readonly string[] {
  const tags = listField(object, key) ?? [];
  if (tags.length > MOST_TAGS) {
    refuseRequest('request.invalid_value', `${key} should have at most ${MOST_TAGS} members`);
  }
  return tags.map((tag) => tagOf(tag, key));
}

function tagOf(value: unknown, where: string): string {
  if (typeof value === 'string' && tagName.test(value)) return value;
  return refuseRequest('request.invalid_value', `${where} should name tags of the Koji of the source`);
}

/** Names or globs with `*` and `?`; everything else in them is held to what names of packages are. */
function patternsField(object: JsonObject, key: string): readonly string[] | null {
  const patterns = listField(object, key);
  if (patterns !== null && patterns.length > MOST_PATTERNS) {
    refuseRequest('request.invalid_value', `${key} should have at most ${MOST_PATTERNS} members`);
  }
  for (const pattern of patterns ?? []) {
    const name = pattern.replaceAll(/[*?]/g, 'x');
    checkName('package', name, { code: 'request.invalid_name', where: key });
  }
  return patterns;
}

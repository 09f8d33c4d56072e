import { createHash } from 'node:crypto';
import type { InputEvent } from '../model/event.ts';
import { hubOfBody } from '../model/hub-name.ts';
import { readersOfRule } from '../model/rule-readers.ts';
import type { JsonObject, JsonValue, Requirement, Rule } from '../model/rule.ts';
import { chainOf, greatestKojiEvent, type AskedCompose } from './decide.ts';
import type { Group } from './group.ts';
import { fillName, fillTemplate, type TemplateSource } from './template.ts';

/** Keys of `source` that are lists in a request: a single value from a template becomes a list of one. */
const listKeys = new Set([
  'packages',
  'builds',
  'modular_koji_tags',
  'scratch_modules',
  'scratch_build_tasks',
  'modules',
  'sigkeys',
  'flags',
  'results',
  'arches',
  'multilib_arches',
  'multilib_method',
  'lookaside_repos',
  'parent_pungi_compose_ids',
  'only',
  'except',
  'unsigned_arches',
  'tags',
  'shipped_tags',
]);

/**
 * Makes the request that a window leads to: series and body with their templates filled. `minEvent` is the
 * greatest Koji event of its hub among the causes, null where they do not say. Throws `template.…`.
 */
export function askCompose(rule: Rule, group: Group, events: readonly InputEvent[]): AskedCompose {
  const source = { group, events };
  const isForced = events.some(({ event }) => event.kind === 'state.swept' && event.force === true);
  const readers = readersOfRule(rule);
  const body = {
    ...shapeRequest(fillTemplate(rule.compose, source)),
    ...(readers === null ? {} : { readers: { users: readers.users, groups: readers.groups } }),
  };
  return {
    series: seriesOf(rule, source),
    body,
    minEvent: greatestKojiEvent(events, hubOfBody(body)),
    chain: chainOf(events),
    unchanged: isForced ? 'compose' : rule.unchanged,
  };
}

/** The state checks of a rule with their templates filled. Throws `template.…`. */
export function fillRequirements(
  rule: Rule,
  group: Group,
  events: readonly InputEvent[],
): readonly Requirement[] {
  return rule.require.map(({ check, parameters }) => ({
    check,
    parameters: fillTemplate(parameters, { group, events }),
  }));
}

function seriesOf(rule: Rule, source: TemplateSource): string {
  if (rule.series !== null) return fillName(rule.series, source);
  return [rule.name, ...rule.groupBy.map((field) => slugOf(String(source.group[field] ?? '')))].join('-');
}

/** A value as part of a name: itself where it may be one, else its letters and a hash. */
function slugOf(value: string): string {
  if (/^[A-Za-z0-9._+:~^-]{1,80}$/.test(value)) return value;
  const letters = value.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 40);
  return `${letters}-${createHash('sha256').update(value).digest('hex').slice(0, 8)}`;
}

/** Returns a body as requests are written: lists where they are lists, and one text of several sources. */
export function shapeRequest(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, shape(key, value)]));
}

function shape(key: string, value: JsonValue): JsonValue {
  if (isObject(value)) return shapeRequest(value);
  if (key === 'source' && isList(value)) return value.map(String).join(' ');
  if (listKeys.has(key) && !isList(value)) return [value];
  return value;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

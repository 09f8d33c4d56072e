import { nearestWord } from '../model/did-you-mean.ts';
import { parseDuration } from '../model/duration.ts';
import { ReactorError } from '../model/errors.ts';
import { buildFields, fieldsOfKind, type EventField } from '../model/event-catalogue.ts';
import { parseEvr } from '../model/evr.ts';
import { findNotOffered, knownOffers } from '../model/offers.ts';
import { requestKeys, requestSourceKeys, requestWords } from '../model/request-keys.ts';
import { isSourceType, sourceTypeNames } from '../source-types.ts';
import type { JsonObject, JsonValue } from '../model/rule.ts';
import { isEvrOperator, isPlainObject, readElementKey } from './rule-match.ts';
import type { ReportProblem, FilePath } from '../model/file-problem.ts';
import { operatorsSchema, type MatchBlock, type RuleFile } from './rule-schema.ts';
import { checkWord } from './check-word.ts';
import { checkRequirementShape } from './requirement-check.ts';
import { nextTick } from './schedule.ts';
import { parseTemplate, placeholderType, type Placeholder } from './template.ts';

/** Checks what the shape cannot say: field names and types, placeholders, durations against each other. */
export function checkRule(rule: RuleFile, report: ReportProblem): void {
  const kinds = rule.on.flatMap((entry) => ('event' in entry ? [entry.event] : []));
  rule.on.forEach((entry, index) => {
    if ('event' in entry) {
      checkBlock(entry.event, entry.match ?? {}, ['on', index, 'match'], report);
      checkBlock(entry.event, entry.unless ?? {}, ['on', index, 'unless'], report);
    } else {
      checkSchedule(entry.schedule, ['on', index, 'schedule'], report);
    }
  });
  rule.group_by.forEach((field, index) => checkGroupField(field, kinds, ['group_by', index], report));
  checkDurations(rule, report);
  const checkText = (value: JsonValue, path: FilePath) =>
    checkPlaceholders(value, path, kinds, rule.group_by, report);
  if (rule.series !== undefined) checkText(rule.series, ['series']);
  checkText(rule.compose, ['compose']);
  checkRequest(rule.compose, report);
  rule.require.forEach((entry, index) => {
    for (const [check, parameters] of Object.entries(entry)) {
      const path = ['require', index, check];
      checkRequirementShape(check, parameters, path, report);
      checkText(parameters, path);
    }
  });
}

function checkBlock(kind: string, block: MatchBlock, path: FilePath, report: ReportProblem): void {
  const fields = fieldsOfKind(kind);
  for (const [key, wanted] of Object.entries(block)) {
    const element = readElementKey(key);
    if (element === null) {
      checkField(kind, key, wanted, fields, [...path, key], report);
    } else if (fields.get(element.field)?.type !== 'builds') {
      reportUnknown(
        kind,
        key,
        [...fields].filter(([, { type }]) => type === 'builds').map(([name]) => `${name}[]`),
        [...path, key],
        report,
      );
    } else if (isPlainObject(wanted)) {
      const inner = new Map<string, EventField>(Object.entries(buildFields));
      for (const [field, value] of Object.entries(wanted)) {
        checkField(`${kind} ${key}`, field, value, inner, [...path, key, field], report);
      }
    } else {
      report(
        'rule.match_invalid',
        [...path, key],
        `"${key}" wants the fields of one build, for example { package: "kernel*" }.`,
      );
    }
  }
}

function checkField(
  kind: string,
  key: string,
  wanted: unknown,
  fields: ReadonlyMap<string, EventField>,
  path: FilePath,
  report: ReportProblem,
): void {
  const field = key === 'evr' && fields.has('nvr') ? { type: 'evr' as const } : fields.get(key);
  if (field === undefined) return reportUnknown(kind, key, fields.keys(), path, report);
  if (field.type === 'builds') {
    return report(
      'rule.match_invalid',
      { key: path },
      `"${key}" is a list of builds.`,
      `Write ${key}[]: { package: … }.`,
    );
  }
  if (!isPlainObject(wanted)) {
    if (field.type === 'evr')
      report(
        'rule.match_invalid',
        path,
        'An EVR is compared by at_least, at_most, newer_than or older_than.',
      );
    else checkValues(key, field, Array.isArray(wanted) ? wanted : [wanted], path, report);
    return;
  }
  for (const [operator, value] of Object.entries(wanted)) {
    const at = [...path, operator];
    if (!(operator in operatorsSchema.shape)) {
      const near = nearestWord(operator, Object.keys(operatorsSchema.shape));
      const message = `There is no "${operator}"${near === null ? '.' : `; did you mean "${near}"?`}`;
      report('rule.key_unknown', { key: at }, message);
    } else if (!operatorsSchema.safeParse({ [operator]: value }).success) {
      report('rule.match_invalid', at, `"${operator}" cannot be ${JSON.stringify(value)}.`);
    } else if (isEvrOperator(operator) !== (field.type === 'evr')) {
      report('rule.match_invalid', { key: at }, `"${operator}" does not fit "${key}".`);
    } else if (field.type === 'evr') {
      if (parseEvr(String(value)).epoch !== '0') {
        report(
          'rule.match_invalid',
          at,
          'Messages do not say the epoch of a build.',
          'Leave the epoch out, and match the package by name.',
        );
      }
    } else if (['gt', 'gte', 'lt', 'lte'].includes(operator)) {
      if (field.type !== 'integer') report('rule.match_invalid', { key: at }, `"${key}" is no number.`);
    } else if (operator !== 'exists') {
      checkValues(key, field, Array.isArray(value) ? value : [value], at, report);
    }
  }
}

function checkValues(
  key: string,
  { type, words }: Pick<EventField, 'type' | 'words'>,
  values: readonly unknown[],
  path: FilePath,
  report: ReportProblem,
): void {
  const wanted = type === 'integer' ? 'number' : type === 'boolean' ? 'boolean' : 'string';
  for (const value of values) {
    if (typeof value === wanted) {
      if (words !== undefined && typeof value === 'string') checkWord(key, words, value, path, report);
      continue;
    }
    const hint = wanted === 'string' ? `Quote it: "${String(value)}".` : undefined;
    report('rule.match_invalid', path, `"${key}" is a ${wanted}, never ${JSON.stringify(value)}.`, hint);
  }
}

function reportUnknown(
  kind: string,
  key: string,
  known: Iterable<string>,
  path: FilePath,
  report: ReportProblem,
): void {
  const names = [...known];
  const near = nearestWord(key, names);
  const message = `${kind} has no field "${key}"${near === null ? '.' : `; did you mean "${near}"?`}`;
  report(
    'rule.field_unknown',
    { key: path },
    message,
    near === null ? `It has: ${names.join(', ')}.` : undefined,
  );
}

function checkGroupField(
  field: string,
  kinds: readonly string[],
  path: FilePath,
  report: ReportProblem,
): void {
  for (const kind of kinds) {
    const known = fieldsOfKind(kind);
    const type = known.get(field)?.type;
    if (type === undefined) reportUnknown(kind, field, known.keys(), path, report);
    else if (type === 'names' || type === 'builds' || type === 'text') {
      report(
        'rule.group_invalid',
        path,
        `Windows cannot be grouped by "${field}" of ${kind}, which is not one value.`,
      );
    }
  }
  if (kinds.length === 0)
    report('rule.group_invalid', path, 'A rule that only follows the clock has nothing to group by.');
}

function checkDurations(rule: RuleFile, report: ReportProblem): void {
  const settle = parseDuration(rule.settle) ?? 0;
  if (rule.max_wait !== undefined && (parseDuration(rule.max_wait) ?? 0) < settle) {
    report(
      'rule.max_wait_short',
      ['max_wait'],
      `max_wait (${rule.max_wait}) is shorter than settle (${rule.settle}).`,
    );
  }
  if (rule.reconcile !== undefined && (parseDuration(rule.reconcile) ?? 0) < 60_000) {
    report(
      'rule.reconcile_short',
      ['reconcile'],
      'Sources are looked at once a minute at most.',
      'Write 1m or more.',
    );
  }
  if (rule.require_within !== undefined && rule.require.length === 0) {
    report(
      'rule.require_missing',
      { key: ['require_within'] },
      'require_within says nothing without `require`.',
    );
  }
}

function checkSchedule(schedule: string, path: FilePath, report: ReportProblem): void {
  try {
    nextTick(schedule, new Date(0));
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    report(error.code, path, error.message, error.hint);
  }
}

function checkPlaceholders(
  value: JsonValue,
  path: FilePath,
  kinds: readonly string[],
  groupBy: readonly string[],
  report: ReportProblem,
): void {
  if (Array.isArray(value)) {
    value.forEach((element: JsonValue, index) =>
      checkPlaceholders(element, [...path, index], kinds, groupBy, report),
    );
  } else if (isPlainObject(value)) {
    for (const [key, inner] of Object.entries(value))
      checkPlaceholders(inner, [...path, key], kinds, groupBy, report);
  } else if (typeof value === 'string') {
    try {
      for (const part of parseTemplate(value)) {
        if (typeof part !== 'string') checkPlaceholder(part, path, kinds, groupBy, report);
      }
    } catch (error) {
      if (!(error instanceof ReactorError)) throw error;
      report(error.code, path, error.message, error.hint);
    }
  }
}

function checkPlaceholder(
  part: Placeholder,
  path: FilePath,
  kinds: readonly string[],
  groupBy: readonly string[],
  report: ReportProblem,
): void {
  if (part.scope === 'field' && groupBy.includes(part.field)) return;
  const types = kinds.map((kind) => placeholderType(part, kind)).filter((type) => type !== null);
  if (types.length === 0) {
    const near = nearestWord(
      part.field,
      kinds.flatMap((kind) => [...fieldsOfKind(kind).keys()]),
    );
    report(
      'rule.field_unknown',
      path,
      `No event of this rule has what ${part.text} names${near === null || near === part.field ? '.' : `; did you mean "${near}"?`}`,
    );
  } else if (types.includes('text')) {
    report('rule.template_text', path, `${part.text} is free text, which is never placed in a request.`);
  } else if (types.includes('builds')) {
    report(
      'rule.template_builds',
      path,
      `${part.text} is a list of builds.`,
      `Write \${${part.scope === 'field' ? '' : `${part.scope}.`}${part.field}[].nvr}.`,
    );
  }
}

function checkRequest(compose: JsonObject, report: ReportProblem): void {
  checkKeys(compose, requestKeys, ['compose'], report);
  const source = compose['source'];
  if (!isPlainObject(source)) {
    report(
      'rule.compose_invalid',
      { key: ['compose'] },
      'The request has no `source: { type: …, source: … }`.',
    );
    return;
  }
  checkKeys(source, requestSourceKeys, ['compose', 'source'], report);
  const type = source['type'];
  if (!isSourceType(type)) {
    report(
      'rule.compose_invalid',
      ['compose', 'source', 'type'],
      `The source type is one of ${sourceTypeNames.join(', ')}.`,
    );
    return;
  }
  const { results } = compose;
  const asked = Array.isArray(results) ? results.filter((result) => typeof result === 'string') : [];
  const notOffered = findNotOffered(
    { sourceType: type, results: asked.filter((result) => requestWords['results']?.includes(result)) },
    knownOffers,
  );
  if (notOffered === undefined) return;
  const at = notOffered.code === 'compose.result_unavailable' ? ['results'] : ['source', 'type'];
  report(notOffered.code, ['compose', ...at], notOffered.message, notOffered.hint);
}

function checkKeys(
  object: JsonObject,
  known: typeof requestKeys,
  path: FilePath,
  report: ReportProblem,
): void {
  for (const [key, value] of Object.entries(object)) {
    const at = [...path, key];
    const shape = known[key];
    if (shape === undefined) {
      const near = nearestWord(key, Object.keys(known));
      report(
        'rule.key_unknown',
        { key: at },
        `A request has no "${key}" in "${path.join('.')}"${near === null ? '.' : `; did you mean "${near}"?`}`,
      );
      continue;
    }
    const isTemplate = typeof value === 'string' && value.includes('${');
    const isFine =
      isTemplate ||
      (shape === 'list' && Array.isArray(value)) ||
      (shape === 'object' && isPlainObject(value)) ||
      (shape === 'number' && typeof value === 'number') ||
      (shape === 'text' && (typeof value === 'string' || (key === 'source' && Array.isArray(value))));
    if (!isFine) report('rule.compose_invalid', at, `"${key}" of a request is a ${shape}.`);
    const words = requestWords[key];
    if (words === undefined || !Array.isArray(value)) continue;
    value.forEach((element: JsonValue, index) => {
      const isTemplate = typeof element === 'string' && element.includes('${');
      if (!isTemplate) checkWord(key, words, String(element), [...at, index], report);
    });
  }
}

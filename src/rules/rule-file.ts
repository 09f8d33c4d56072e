import { basename } from 'node:path';
import { isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { z } from 'zod';
import { nearestWord } from '../model/did-you-mean.ts';
import { messageOf } from '../model/errors.ts';
import { parseDuration } from '../model/duration.ts';
import type { Keep } from '../model/keep.ts';
import type { Notification, Rule } from '../model/rule.ts';
import { hasMoreYamlMarks } from '../model/yaml-marks.ts';
import { checkRule } from './rule-check.ts';
import { compileMatch } from './rule-match.ts';
import {
  formatProblem,
  locatePath,
  type ReportProblem,
  type RulePath,
  type RuleProblem,
} from './rule-problem.ts';
import { operatorsSchema, ruleFileSchema, type RuleFile } from './rule-schema.ts';

/** What reading a rule file yields: the rule, or all that is wrong with it. */
export type RuleReading =
  | { readonly ok: true; readonly rule: Rule }
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

const MAX_FILE = 256 * 1024;
/** Thousands of packages may be listed; what has more takes long to read. */
const MAX_MARKS = 20_000;
/** Whoever mends these sees the others afterwards. */
const MOST_PROBLEMS = 50;

/**
 * Reads one rule file: YAML, strict shape, field names against the catalogue, placeholders, the name of the file.
 * Reports the problems, up to 50, with line and column; nothing is thrown for a bad file.
 */
export function readRuleFile(file: string, text: string): RuleReading {
  const lines = new LineCounter();
  if (text.length > MAX_FILE) return tooLong(file, `is longer than ${MAX_FILE / 1024} KiB`);
  if (hasMoreYamlMarks(text, MAX_MARKS)) return tooLong(file, `may have more than ${MAX_MARKS} entries`);
  const document = parseDocument(text, {
    lineCounter: lines,
    strict: true,
    // Compared pair by pair there, which takes minutes for a long file.
    uniqueKeys: false,
    stringKeys: true,
    logLevel: 'error',
  } as const);
  const problems: RuleProblem[] = [];
  const report: ReportProblem = (code, path, message, hint, atKey = false) => {
    if (problems.length >= MOST_PROBLEMS) return;
    problems.push({ code, file, ...locatePath(document, lines, path, atKey), message, hint: hint ?? null });
  };
  const errors = document.errors.map(({ message, pos }) => ({ message, offset: pos[0] }));
  for (const error of [...errors, ...repeatedKeys(document)].slice(0, MOST_PROBLEMS)) {
    const { line, col } = lines.linePos(error.offset);
    const [message = 'not YAML'] = error.message.split('\n');
    problems.push({ code: 'rule.yaml_invalid', file, line, column: col, message, hint: null });
  }
  if (problems.length > 0) return { ok: false, problems };
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    report('rule.yaml_invalid', [], `The file cannot be read: ${messageOf(error)}.`);
    return { ok: false, problems };
  }
  const parsed = ruleFileSchema.safeParse(plain);
  if (!parsed.success) {
    for (const issue of parsed.error.issues.slice(0, MOST_PROBLEMS)) reportIssue(issue, [], report);
    return { ok: false, problems };
  }
  checkRule(parsed.data, report);
  const expected = basename(file).replace(/\.ya?ml$/, '');
  if (parsed.data.name !== expected) {
    report(
      'rule.name_differs',
      ['name'],
      `The rule is called "${parsed.data.name}", its file "${expected}".`,
      'Rename one of them.',
    );
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, rule: compileRule(parsed.data, file) };
}

/** All problems as one text, a line each. */
export function formatProblems(problems: readonly RuleProblem[]): string {
  return problems.map(formatProblem).join('\n');
}

/** Keys that a mapping has twice, and where. */
function repeatedKeys(document: Document): { readonly message: string; readonly offset: number }[] {
  const found: { readonly message: string; readonly offset: number }[] = [];
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value))
          found.push({ message: 'Map keys must be unique', offset: key.range?.[0] ?? 0 });
        seen.add(key.value);
      }
    },
  });
  return found;
}

function tooLong(file: string, why: string): RuleReading {
  const message = `The file ${why}.`;
  return { ok: false, problems: [{ code: 'rule.too_long', file, line: 1, column: 1, message, hint: null }] };
}

type Issue = z.core.$ZodIssue;

function reportIssue(issue: Issue, base: RulePath, report: ReportProblem): void {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  const where = path.length === 0 ? 'the rule' : `"${path.join('.')}"`;
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys.slice(0, MOST_PROBLEMS)) {
        const near = nearestWord(key, knownKeys(path));
        const message = `There is no "${key}" in ${where}${near === null ? '.' : `; did you mean "${near}"?`}`;
        report('rule.key_unknown', [...path, key], message, undefined, true);
      }
      return;
    case 'invalid_union': {
      const best = issue.errors.toSorted((left, right) => badness(left) - badness(right))[0];
      if (best === undefined || best.length === 0)
        report('rule.value_invalid', path, `${where} has a wrong shape.`);
      else for (const inner of best) reportIssue(inner, path, report);
      return;
    }
    case 'invalid_value': {
      const message = `${where} must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}.`;
      report('rule.value_invalid', path, message);
      return;
    }
    default: {
      const isAbsent =
        issue.code === 'invalid_type' && issue.input === undefined && issue.message.endsWith('undefined');
      report(
        isAbsent ? 'rule.key_missing' : 'rule.value_invalid',
        path,
        isAbsent ? `${where} is missing.` : `${where}: ${issue.message}.`,
      );
    }
  }
}

/** How far an alternative of a union is from what was written; the nearest one is reported. */
function badness(issues: readonly Issue[]): number {
  return (
    issues.reduce(
      (sum, issue) => sum + (issue.code === 'invalid_type' && issue.path.length === 0 ? 100 : 1),
      0,
    ) +
    (issues.some(
      (issue) =>
        issue.code === 'invalid_type' && issue.path.length === 1 && issue.message.endsWith('undefined'),
    )
      ? 50
      : 0)
  );
}

function knownKeys(path: RulePath): readonly string[] {
  if (path.length === 0) return Object.keys(ruleFileSchema.shape);
  if (path[0] === 'on')
    return path.length === 2 ? ['event', 'match', 'unless', 'schedule'] : Object.keys(operatorsSchema.shape);
  return ['bus', 'webhook', 'only'];
}

function compileRule(file: RuleFile, path: string): Rule {
  const settleMs = ms(file.settle);
  return {
    name: file.name,
    owner: file.owner,
    description: file.description,
    mode: file.mode,
    triggers: file.on.flatMap((entry) =>
      'event' in entry
        ? [
            {
              event: entry.event,
              match: compileMatch(entry.match ?? {}),
              unless: compileMatch(entry.unless ?? {}),
            },
          ]
        : [],
    ),
    schedules: file.on.flatMap((entry) => ('schedule' in entry ? [entry.schedule] : [])),
    groupBy: file.group_by,
    settleMs,
    maxWaitMs: file.max_wait === undefined ? settleMs * 6 : ms(file.max_wait),
    reconcileMs: file.reconcile === undefined ? null : ms(file.reconcile),
    minIntervalMs: ms(file.min_interval),
    minIntervalForAll: file.min_interval_for_all,
    priority: file.priority,
    require: file.require.flatMap((entry) =>
      Object.entries(entry).map(([check, parameters]) => ({ check, parameters: parameters })),
    ),
    requireWithinMs: file.require_within === undefined ? null : ms(file.require_within),
    series: file.series ?? null,
    keep: file.keep === undefined ? null : compileKeep(file.keep),
    compose: file.compose,
    unchanged: file.unchanged,
    whenBusy: file.when_busy,
    notify: file.notify.map(compileNotification),
    maxChain: file.max_chain,
    dailyLimit: file.daily_limit,
    file: path,
  };
}

function compileKeep({ last, daily, weekly }: NonNullable<RuleFile['keep']>): Keep {
  return {
    last: last ?? null,
    dailyMs: daily === undefined ? null : ms(daily),
    weeklyMs: weekly === undefined ? null : ms(weekly),
  };
}

function compileNotification(entry: RuleFile['notify'][number]): Notification {
  const only = entry.only ?? [];
  if ('webhook' in entry) return { channel: 'webhook', to: entry.webhook, only };
  return { channel: 'bus', to: entry.bus === 'fedora' ? 'fedora-messaging' : entry.bus, only };
}

function ms(text: string): number {
  return parseDuration(text) ?? 0;
}

import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { StoredEvent } from '../database/input-events.ts';
import type { Rule } from '../model/rule.ts';
import { readYamlFile, type YamlFileKind, type YamlFileReading } from '../model/yaml-file.ts';
import { backtestRule, type BacktestWindow } from './backtest.ts';
import { explainRule } from './explain.ts';

const json: z.ZodType<unknown> = z.unknown();

/** A recorded message in a file, relative to that of the cases, or one that is written down. */
const messageSchema = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({
    topic: z.string().min(1),
    body: z.record(z.string(), json),
    bus: z.enum(['webhook', 'fedora-messaging', 'umb']).default('webhook'),
    headers: z.record(z.string(), json).default({}),
    /** When it was sent, ISO 8601; when the one before it was, where nothing is said. */
    at: z.iso.datetime({ offset: true }).optional(),
  }),
]);

const windowSchema = z.strictObject({
  series: z.string().optional(),
  group: z.record(z.string(), json).optional(),
  /** How many messages led to it. */
  messages: z.number().int().positive().optional(),
  outcome: z.enum(['asks', 'repeats', 'fails']).optional(),
  /** What its request has to hold; it may hold more. */
  compose: z.record(z.string(), json).optional(),
});

const caseSchema = z.strictObject({
  name: z.string().min(1),
  messages: z.array(messageSchema).min(1),
  /** What the rule answers to each message. */
  answers: z.array(z.enum(['yes', 'no', 'unknown', 'other_kind'])).optional(),
  windows: z.array(windowSchema).optional(),
});

const casesKind: YamlFileKind<{ readonly cases: z.output<typeof caseSchema>[] }> = {
  schema: z.strictObject({ cases: z.array(caseSchema).min(1) }),
  whole: 'the file of cases',
  codes: {
    yamlInvalid: 'rule_cases.yaml_invalid',
    tooLong: 'rule_cases.too_long',
    keyUnknown: 'rule_cases.key_unknown',
    keyMissing: 'rule_cases.key_missing',
    valueInvalid: 'rule_cases.value_invalid',
  },
};

export type RuleCase = z.output<typeof caseSchema>;
export type CaseMessage = z.output<typeof messageSchema>;

/** Returns whether a file holds cases of a rule and no rule. */
export function isCasesFile(file: string): boolean {
  return /\.test\.ya?ml$/.test(file);
}

/** Returns the name of the rule that a file of cases is about. */
export function ruleOfCases(file: string): string {
  return basename(file).replace(/\.test\.ya?ml$/, '');
}

/** Reads a file of cases; reports problems as those of a rule file are. */
export function readRuleCases(
  file: string,
  text: string,
): YamlFileReading<{ readonly cases: readonly RuleCase[] }> {
  return readYamlFile(casesKind, file, text);
}

/**
 * Holds what a rule makes of the messages of a case against what the case expects. `events` are the messages in the order of
 * the case, null where no listener translates one. Returns a sentence for each thing that is otherwise.
 */
export function judgeCase(
  rule: Rule,
  { answers, windows }: RuleCase,
  events: readonly (StoredEvent | null)[],
): readonly string[] {
  const known = events.filter((event) => event !== null);
  const found = backtestRule(rule, known).windows;
  return [
    ...events.flatMap((event, at) =>
      event === null ? [`Message ${at + 1} has a topic that nobody translates.`] : [],
    ),
    ...(answers === undefined ? [] : judgeAnswers(rule, answers, events)),
    ...(windows === undefined ? [] : judgeWindows(windows, found)),
  ];
}

function judgeAnswers(
  rule: Rule,
  answers: readonly string[],
  events: readonly (StoredEvent | null)[],
): readonly string[] {
  if (answers.length !== events.length)
    return [`There are ${events.length} messages, and answers to ${answers.length}.`];
  return events.flatMap((event, at) => {
    if (event === null) return [];
    const { answer, sentence } = explainRule(rule, event.input);
    return answer === answers[at]
      ? []
      : [`Message ${at + 1}: the answer is ${answer}, expected ${answers[at] ?? ''}. ${sentence}`];
  });
}

function judgeWindows(
  wanted: readonly z.output<typeof windowSchema>[],
  found: readonly BacktestWindow[],
): readonly string[] {
  if (wanted.length !== found.length) {
    const told = found.map(({ why }) => ` ${why}`).join('');
    return [`There are ${found.length} windows, expected ${wanted.length}.${told}`];
  }
  return wanted.flatMap((window, at) => {
    const actual = found[at];
    if (actual === undefined) return [];
    const is: Readonly<Record<string, unknown>> = {
      series: actual.asked?.series,
      group: actual.group,
      messages: actual.causes.length,
      outcome: actual.outcome,
      compose: actual.asked?.body,
    };
    return Object.entries(window).flatMap(([key, expected]) =>
      holds(is[key], expected)
        ? []
        : [
            `Window ${at + 1}: ${key} is ${JSON.stringify(is[key] ?? null)}, expected ${JSON.stringify(expected)}. ${actual.why}`,
          ],
    );
  });
}

/** Returns whether a value is the expected one; an object may have more keys than expected. */
function holds(value: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected))
    return isDeepStrictEqual(value, expected);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = new Map<string, unknown>(Object.entries(value));
  return Object.entries(expected).every(([key, part]) => holds(entries.get(key), part));
}

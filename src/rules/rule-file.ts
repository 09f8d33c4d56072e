import { basename } from 'node:path';
import { parseDuration } from '../model/duration.ts';
import { formatProblem, type FileProblem } from '../model/file-problem.ts';
import type { Keep } from '../model/keep.ts';
import type { Notification, Rule } from '../model/rule.ts';
import { readYamlFile, type YamlFileKind } from '../model/yaml-file.ts';
import { checkRule } from './rule-check.ts';
import { compileMatch } from './rule-match.ts';
import { ruleFileSchema, type RuleFile } from './rule-schema.ts';

/** What reading a rule file yields: the rule, or all that is wrong with it. */
export type RuleReading =
  | { readonly ok: true; readonly rule: Rule }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

const ruleFileKind: YamlFileKind<RuleFile> = {
  schema: ruleFileSchema,
  whole: 'the rule',
  codes: {
    yamlInvalid: 'rule.yaml_invalid',
    tooLong: 'rule.too_long',
    keyUnknown: 'rule.key_unknown',
    keyMissing: 'rule.key_missing',
    valueInvalid: 'rule.value_invalid',
  },
};

/**
 * Reads one rule file: YAML, strict shape, field names against the catalogue, placeholders, the name of the file.
 * Reports the problems, up to 50, with line and column; nothing is thrown for a bad file.
 */
export function readRuleFile(file: string, text: string): RuleReading {
  const reading = readYamlFile(ruleFileKind, file, text);
  if (!reading.ok) return reading;
  const { value, report, problems } = reading;
  checkRule(value, report);
  const expected = basename(file).replace(/\.ya?ml$/, '');
  if (value.name !== expected) {
    report(
      'rule.name_differs',
      ['name'],
      `The rule is called "${value.name}", its file "${expected}".`,
      'Rename one of them.',
    );
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, rule: compileRule(value, file) };
}

/** All problems as one text, a line each. */
export function formatProblems(problems: readonly FileProblem[]): string {
  return problems.map(formatProblem).join('\n');
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
    readers: file.readers ?? null,
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

import type { StoredEvent } from '../database/input-events.ts';
import type { Rule } from '../model/rule.ts';
import { matchRule } from './match.ts';

/** An event on which two sets of rules answer differently. */
export interface RuleDifference {
  readonly event: number;
  readonly receivedAt: string;
  readonly rule: string;
  /** `yes`, `no`, `unknown`, or `-` where the rule is not there, is off or does not list the kind. */
  readonly before: string;
  readonly after: string;
}

/** On which of these events the rules answer differently after a change. */
export function diffRules(
  before: readonly Rule[],
  after: readonly Rule[],
  events: readonly StoredEvent[],
): readonly RuleDifference[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))].sort();
  const old = new Map(before.map((rule) => [rule.name, rule]));
  const fresh = new Map(after.map((rule) => [rule.name, rule]));
  return events.flatMap((stored) =>
    names.flatMap((name) => {
      const left = answerOf(old.get(name), stored);
      const right = answerOf(fresh.get(name), stored);
      if (left === right) return [];
      return [
        { event: stored.id, receivedAt: stored.input.receivedAt, rule: name, before: left, after: right },
      ];
    }),
  );
}

function answerOf(rule: Rule | undefined, stored: StoredEvent): string {
  if (rule === undefined || rule.mode === 'off') return '-';
  return matchRule(rule, stored.input)?.answer ?? '-';
}

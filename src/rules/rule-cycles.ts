import { matchGlob } from '../model/glob.ts';
import type { FieldTest, Rule } from '../model/rule.ts';
import { parseTemplate } from './template.ts';

/**
 * Chains of rules that could start each other for ever: a rule that fires on `compose.state` of a series that its
 * own composes, or those of a rule they start, may belong to. Returns each cycle once, as the names of its rules.
 * Source: RULES 4.4, 11.
 */
export function findRuleCycles(rules: readonly Rule[]): readonly (readonly string[])[] {
  const running = rules.filter((rule) => rule.mode !== 'off');
  const next = new Map(
    running.map((rule) => [
      rule.name,
      running.filter((other) => mayStart(rule, other)).map(({ name }) => name),
    ]),
  );
  const cycles: string[][] = [];
  const finished = new Set<string>();
  const walk = (name: string, trail: readonly string[]): void => {
    const start = trail.indexOf(name);
    if (start >= 0) {
      cycles.push(trail.slice(start));
      return;
    }
    if (finished.has(name)) return;
    for (const target of next.get(name) ?? []) walk(target, [...trail, name]);
    finished.add(name);
  };
  for (const rule of running) walk(rule.name, []);
  return cycles;
}

/** Whether a finished compose of the first rule may fire the second. */
function mayStart(first: Rule, second: Rule): boolean {
  return second.triggers.some((trigger) => {
    if (trigger.event !== 'compose.state') return false;
    const series = seriesPattern(first);
    return trigger.match.every((test) => test.field !== 'series' || mayHold(test, series));
  });
}

/** The series of a rule with a `*` for every placeholder. */
function seriesPattern(rule: Rule): string {
  const text = rule.series ?? `${rule.name}${rule.groupBy.map((field) => `-\${${field}}`).join('')}`;
  return parseTemplate(text)
    .map((part) => (typeof part === 'string' ? part : '*'))
    .join('');
}

function mayHold(test: FieldTest, series: string): boolean {
  if (test.op === 'any_of') return test.values.some(({ value }) => mayMeet(String(value), series));
  if (test.op === 'none_of')
    return series.includes('*') || !test.values.some(({ value }) => matchGlob(String(value), series));
  return true;
}

/** Whether two wildcard patterns may cover a common text; true when in doubt. */
function mayMeet(left: string, right: string): boolean {
  if (matchGlob(left, right) || matchGlob(right, left)) return true;
  const headLeft = left.split(/[*?]/)[0] ?? '';
  const headRight = right.split(/[*?]/)[0] ?? '';
  const isOpen = headLeft.length < left.length && headRight.length < right.length;
  return isOpen && (headLeft.startsWith(headRight) || headRight.startsWith(headLeft));
}

import { isDeepStrictEqual } from 'node:util';
import { areSameReaders } from '../model/readers.ts';
import { readersOfRule } from '../model/rule-readers.ts';
import type { Rule } from '../model/rule.ts';

/** Two active rules that continue one series and do not agree about it. */
export interface SharedSeries {
  readonly series: string;
  readonly first: Rule;
  readonly second: Rule;
  readonly differsIn: 'compose' | 'keep' | 'readers';
}

/**
 * Returns the rules that would pull a series in two directions. Two rules may well continue one series, for example at
 * once for security and nightly for the rest, as long as they compose the same, keep the same and are open to the same readers. Series with
 * placeholders are known only when a rule fires and are not judged.
 */
export function findSharedSeries(rules: readonly Rule[]): readonly SharedSeries[] {
  const firstOf = new Map<string, Rule>();
  const shared: SharedSeries[] = [];
  for (const rule of rules) {
    const { series } = rule;
    if (rule.mode !== 'active' || series === null || series.includes('${')) continue;
    const first = firstOf.get(series);
    if (first === undefined) firstOf.set(series, rule);
    else if (!isDeepStrictEqual(first.compose, rule.compose)) {
      shared.push({ series, first, second: rule, differsIn: 'compose' });
    } else if (!isDeepStrictEqual(first.keep, rule.keep)) {
      shared.push({ series, first, second: rule, differsIn: 'keep' });
    } else if (!areSameReaders(readersOfRule(first), readersOfRule(rule))) {
      shared.push({ series, first, second: rule, differsIn: 'readers' });
    }
  }
  return shared;
}

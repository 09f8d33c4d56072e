import type { Keep } from '../model/keep.ts';
import type { Rule } from '../model/rule.ts';
import { parseTemplate } from './template.ts';

/** What a rule keeps of the series that it continues. */
export interface KeepOfRule {
  readonly name: string;
  readonly keep: Keep;
  /** What the names of its series are like, in SQL: `%` for what only events say. */
  readonly series: string;
}

/** Returns what rules keep of the series that they continue as they are now; a series they continued before is none. */
export function keepOfRules(
  rules: readonly Pick<Rule, 'name' | 'keep' | 'series' | 'groupBy'>[],
): readonly KeepOfRule[] {
  return rules.flatMap(({ name, keep, series, groupBy }) => {
    if (keep === null) return [];
    const parts = series === null ? [name, ...groupBy.flatMap(() => ['-', null])] : parseTemplate(series);
    const like = parts.map((part) => (typeof part === 'string' ? part.replaceAll(/[\\%_]/g, '\\$&') : '%'));
    return [{ name, keep, series: like.join('') }];
  });
}

import type { Rule, RuleSet } from '../model/rule.ts';
import { readRules } from '../rules/reload.ts';
import { formatProblem, type RuleProblem } from '../rules/rule-problem.ts';
import type { ApiContext } from './context.ts';
import { ApiProblem } from './problem.ts';

/** The rule files as they are now, which the process with the rules role follows. */
export interface ShownRules {
  readonly set: RuleSet;
  readonly problems: readonly RuleProblem[];
}

const FRESH_MS = 2000;
const cache = new WeakMap<ApiContext, { readonly at: number; readonly shown: Promise<ShownRules> }>();

/** Reads the rule files, at most every two seconds. A bad set shows no rules and its problems. */
export function readShownRules(context: ApiContext): Promise<ShownRules> {
  const now = performance.now();
  const known = cache.get(context);
  if (known !== undefined && now - known.at < FRESH_MS) return known.shown;
  const shown = readRules(context.config.rules_dir).then((reading) =>
    reading.ok
      ? { set: reading.set, problems: [] }
      : { set: { version: 'none', rules: [] }, problems: reading.problems },
  );
  cache.set(context, { at: now, shown });
  return shown;
}

/** One rule by name. Throws `rule.not_found` (404), `rule.invalid` (503) where the files are wrong. */
export async function findShownRule(context: ApiContext, name: string): Promise<Rule> {
  const { set, problems } = await readShownRules(context);
  const rule = set.rules.find((one) => one.name === name);
  if (rule !== undefined) return rule;
  const [problem] = problems;
  if (problem !== undefined) throw new ApiProblem(503, 'rule.invalid', formatProblem(problem));
  throw new ApiProblem(404, 'rule.not_found', 'There is no such rule.', {
    hint: 'GET /api/1/rules/ lists them.',
  });
}

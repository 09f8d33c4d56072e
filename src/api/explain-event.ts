import type { StoredEvent } from '../database/input-events.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import { explainRule, type Explanation } from '../rules/explain.ts';
import type { ApiContext } from './context.ts';
import { findRuleSet, findShownRule, readShownRules } from './rule-set.ts';

/** What a rule makes of an event, and by which set of rules that was found out. */
export interface EventExplanation extends Explanation {
  /** The set that judged the event; null where none has. */
  readonly judged_by: string | null;
  readonly explained_by: string;
}

/** Returns the set that judged an event, where it is kept, else the one that runs. */
async function setOfEvent(context: ApiContext, stored: StoredEvent): Promise<RuleSet> {
  const judged = stored.ruleSet === null ? null : await findRuleSet(context, stored.ruleSet);
  return judged ?? (await readShownRules(context)).set;
}

/**
 * Explains a rule on a stored event as it was when it judged the event; as it is now where that set is not kept, or had
 * no such rule. Throws `rule.not_found`, `rule.invalid`.
 */
export async function explainEvent(
  context: ApiContext,
  name: string,
  stored: StoredEvent,
): Promise<EventExplanation> {
  const set = await setOfEvent(context, stored);
  const then = set.rules.find((rule) => rule.name === name);
  if (then !== undefined) return explained(then, { stored, version: set.version });
  const rule = await findShownRule(context, name);
  return explained(rule, { stored, version: (await readShownRules(context)).set.version });
}

function explained(
  rule: Rule,
  { stored, version }: { readonly stored: StoredEvent; readonly version: string },
): EventExplanation {
  return { ...explainRule(rule, stored.input), judged_by: stored.ruleSet, explained_by: version };
}

/** Rules that listen to an event's kind and say no. */
export interface Refusals {
  readonly count: number;
  /** The first of them. */
  readonly first: readonly Explanation[];
  /** Whether the set that judged the event said so, and not a later one. */
  readonly isOfThen: boolean;
}

/** Returns the rules that say no to a stored event, found out anew: no row is kept for a no. */
export async function findRefusals(
  context: ApiContext,
  stored: StoredEvent,
  limit: number,
): Promise<Refusals> {
  const set = await setOfEvent(context, stored);
  const refusals = set.rules
    .filter(({ mode }) => mode !== 'off')
    .map((rule) => explainRule(rule, stored.input))
    .filter(({ answer }) => answer === 'no');
  return {
    count: refusals.length,
    first: refusals.slice(0, limit),
    isOfThen: stored.ruleSet === set.version,
  };
}

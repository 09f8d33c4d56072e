import { insertDecisions, type NewDecision } from '../database/decisions.ts';
import { findInputEvents, markMatched, type StoredEvent } from '../database/input-events.ts';
import { findPrivateComposes } from '../database/private-composes.ts';
import { listLivingGroups } from '../database/rule-groups.ts';
import { transaction, type TransactionContext } from '../database/transaction.ts';
import { CARRIED_MS } from '../database/windows.ts';
import { instrument, withTrace } from '../instrument.ts';
import { mayHold } from '../model/compose-readers.ts';
import type { DomainEvent } from '../model/event.ts';
import type { Readable } from '../model/readers.ts';
import { readersOfRule } from '../model/rule-readers.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import { explainMatch } from './explain.ts';
import { groupOf, isGroupOf, MAX_GROUPS, readGroupKey, writeGroupKey, type Group } from './group.ts';
import { matchRule } from './match.ts';
import { putInWindow, type Firing } from './put-in-window.ts';
import { findListeners } from './rule-index.ts';

/** What matching events needs. */
export interface MatchContext {
  readonly database: TransactionContext;
  readonly rules: RuleSet;
}

/** What one rule made of one event. */
interface Judgement {
  readonly stored: StoredEvent;
  readonly rule: Rule;
  readonly outcome: 'matched' | 'unknown';
  readonly why: string;
  readonly trail: readonly unknown[];
  /** Empty where it is not known whether the rule fires. */
  readonly groups: readonly Group[];
}

/**
 * Matches stored events against all rules in one transaction, which counts each event once however often its job is
 * delivered: a decision row for every rule that fires or cannot tell, and one window for each rule and group, opened or
 * extended. A rule that says no leaves nothing: the event names the set that judged it, so that the same can be found
 * out again. Returns when the earliest of the windows is due; null where none was touched.
 */
export async function matchEvents(context: MatchContext, eventIds: readonly number[]): Promise<Date | null> {
  const waiting = (await findInputEvents(context.database.kysely, eventIds)).filter(
    ({ stage }) => stage !== 'done',
  );
  if (waiting.length === 0) return null;
  return withTrace(
    waiting.map(({ trace }) => trace),
    () => instrument('match', { events: waiting.length }, () => matchWaiting(context, waiting)),
  );
}

async function matchWaiting(context: MatchContext, waiting: readonly StoredEvent[]): Promise<Date | null> {
  const told = await findPrivateComposes(
    context.database.kysely,
    waiting.flatMap(({ input }) => composeOf(input.event) ?? []),
  );
  const judged: Judgement[] = [];
  for (const stored of waiting) judged.push(...(await judge(context, stored, told)));
  return transaction(context.database, async (tx) => {
    const ids = waiting.map(({ id }) => id);
    const ours = await markMatched(tx.sql, { ids, ruleSet: context.rules.version, now: tx.now });
    const judgements = judged.filter(({ stored }) => ours.has(stored.id));
    let earliest: Date | null = null;
    const windows = new Map<string, number>();
    for (const firing of groupFirings(judgements)) {
      for (const [eventId, { windowId, due }] of await putInWindow(tx, context.rules.version, firing)) {
        windows.set(`${firing.rule.name} ${eventId}`, windowId);
        if (earliest === null || due < earliest) earliest = due;
      }
    }
    await insertDecisions(
      tx.sql,
      judgements.map((judgement) => toDecision(context.rules, judgement, { windows, now: tx.now })),
    );
    return earliest;
  });
}

/** Returns the number of the compose of this service that an event tells of, or null. */
function composeOf(event: DomainEvent): number | null {
  if (event.kind !== 'compose.state' || event.system !== 'odcs' || !/^[1-9]\d{0,8}$/.test(event.id))
    return null;
  return Number(event.id);
}

/** `told` has the private composes that events tell of: a rule that others may read does not hear of them. */
async function judge(
  context: MatchContext,
  stored: StoredEvent,
  told: ReadonlyMap<number, Readable>,
): Promise<readonly Judgement[]> {
  const { event } = stored.input;
  const judgements: Judgement[] = [];
  const compose = told.get(composeOf(event) ?? -1);
  for (const rule of findListeners(context.rules, stored.input)) {
    if (compose !== undefined && !mayHold({ owner: rule.owner, readers: readersOfRule(rule) }, [compose]))
      continue;
    if (event.kind === 'schedule.tick' || event.kind === 'state.swept') {
      const groups =
        event.kind === 'state.swept' && event.group !== undefined
          ? [event.group]
          : await groupsOf(context, rule);
      const why = event.kind === 'state.swept' ? event.reason : `${rule.name} follows its schedule.`;
      judgements.push({ stored, rule, outcome: 'matched', why, trail: [], groups });
      continue;
    }
    const match = matchRule(rule, stored.input);
    if (match === null || match.answer === 'no') continue;
    const { trail } = match;
    const group = groupOf(rule, stored);
    if (match.answer === 'unknown') {
      judgements.push({ stored, rule, outcome: 'unknown', why: explainMatch(match), trail, groups: [] });
    } else if ('missing' in group) {
      const why = `${rule.name} cannot tell: the message does not say "${group.missing}", which group_by names.`;
      judgements.push({ stored, rule, outcome: 'unknown', why, trail, groups: [] });
    } else {
      const groups = [group.values];
      judgements.push({ stored, rule, outcome: 'matched', why: explainMatch(match), trail, groups });
    }
  }
  return judgements;
}

/** The events of each rule and group, in one order for all workers: whoever touches the same windows waits in line. */
function groupFirings(judgements: readonly Judgement[]): readonly Firing[] {
  const firings = new Map<string, { rule: Rule; group: Group; events: StoredEvent[] }>();
  for (const { rule, groups, stored } of judgements) {
    for (const group of groups) {
      const key = `${rule.name}\0${writeGroupKey(group)}`;
      const firing = firings.get(key) ?? { rule, group, events: [] };
      firing.events.push(stored);
      firings.set(key, firing);
    }
  }
  return [...firings].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, firing]) => firing);
}

function toDecision(
  rules: RuleSet,
  { rule, stored, outcome, why, trail }: Judgement,
  { windows, now }: { readonly windows: ReadonlyMap<string, number>; readonly now: Date },
): NewDecision {
  return {
    at: now,
    rule: rule.name,
    ruleSet: rules.version,
    eventId: stored.id,
    windowId: windows.get(`${rule.name} ${stored.id}`) ?? null,
    requestId: null,
    composeId: null,
    outcome,
    why,
    trail,
  };
}

/** Groups that a tick of a grouped rule speaks to: those that live and had an event in the last week. */
async function groupsOf({ database }: MatchContext, rule: Rule): Promise<readonly Group[]> {
  if (rule.groupBy.length === 0) return [{}];
  const since = new Date(database.clock.now().getTime() - CARRIED_MS);
  const groups = await listLivingGroups(database.kysely, rule.name, { since, limit: MAX_GROUPS });
  return groups.map(({ groupKey }) => readGroupKey(groupKey)).filter((group) => isGroupOf(rule, group));
}

import { insertInternalEvent } from '../database/input-events.ts';
import {
  findOnlyGroup,
  listLivingGroups,
  noteGroupsLookedAt,
  type GroupLook,
} from '../database/rule-groups.ts';
import { moveRuleClock, readRuleClocks } from '../database/rule-clocks.ts';
import { findPauses } from '../database/rule-pauses.ts';
import { transaction, type TransactionContext } from '../database/transaction.ts';
import type { SweptEvent } from '../model/event.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import { lookAgain, type LookContext } from './look-again.ts';
import { GROUPS_LIVE_MS, isGroupOf, MAX_GROUPS, readGroupKey } from './group.ts';
import type { StateSources, TagState } from './require.ts';
import { nextTick } from './schedule.ts';

export interface ReconcileContext {
  readonly database: TransactionContext;
  readonly rules: RuleSet;
  readonly sources: StateSources;
  /** The first time after the start: sweeps that are not a minute old are made whatever their interval. */
  readonly isStart: boolean;
  /** Called with what kept one rule's sweep from being made; the others go on. */
  readonly onError: (rule: Rule, error: unknown) => void;
}

type TimedContext = ReconcileContext & { readonly now: Date };

const START_SWEEP_MS = 60_000;

/**
 * Makes the ticks and sweeps that are due, each once among all workers; ticks that were missed become one. Returns
 * when the next is due, null where no rule has a clock. Source: RULES 4.4, 13.
 */
export async function runRuleClocks(given: ReconcileContext): Promise<Date | null> {
  const { kysely, clock } = given.database;
  const context = { ...given, now: await clock.read(kysely) };
  const clocks = await readRuleClocks(kysely);
  const pauses = new Set((await findPauses(kysely)).map(({ rule }) => rule));
  const tagStates = new Map<string, Promise<TagState>>();
  let next: Date | null = null;
  const note = (at: Date): void => {
    if (next === null || at < next) next = at;
  };
  for (const rule of context.rules.rules) {
    if (rule.mode === 'off' || pauses.has(rule.name)) continue;
    const own = clocks.get(rule.name);
    for (const schedule of rule.schedules) note(await tick(context, rule, schedule, own?.get(schedule)));
    if (rule.reconcileMs === null) continue;
    try {
      note(await sweep(context, rule, rule.reconcileMs, own?.get('sweep'), tagStates));
    } catch (error) {
      context.onError(rule, error);
      note(new Date(context.now.getTime() + START_SWEEP_MS));
    }
  }
  return next;
}

async function tick(
  context: TimedContext,
  rule: Rule,
  schedule: string,
  last: Date | undefined,
): Promise<Date> {
  const { now } = context;
  const from = last === undefined || last > now ? now : last;
  const due = nextTick(schedule, from);
  if (last !== undefined && last <= now && due > now) return due;
  await transaction(context.database, async (tx) => {
    const isOurs = await moveRuleClock(tx.sql, { rule: rule.name, clock: schedule, from: last, to: now });
    if (!isOurs || due > now) return;
    const at = due.toISOString();
    await insertInternalEvent(tx, `tick:${rule.name}:${schedule}:${at}`, {
      kind: 'schedule.tick',
      rule: rule.name,
      at,
    });
  });
  return nextTick(schedule, now);
}

async function sweep(
  context: TimedContext,
  rule: Rule,
  everyMs: number,
  last: Date | undefined,
  tagStates: LookContext['tagStates'],
): Promise<Date> {
  const { now } = context;
  const pause = context.isStart ? Math.min(everyMs, START_SWEEP_MS) : everyMs;
  // A sweep that lies in the future was made before the clock stepped back.
  if (last !== undefined && last <= now && now.getTime() - last.getTime() < pause) {
    return new Date(last.getTime() + everyMs);
  }
  const { events, looks } = await lookAtGroups(context, rule, tagStates);
  await transaction(context.database, async (tx) => {
    if (!(await moveRuleClock(tx.sql, { rule: rule.name, clock: 'sweep', from: last, to: now }))) return;
    await noteGroupsLookedAt(tx.sql, rule.name, looks, now);
    for (const [groupKey, event] of events) {
      await insertInternalEvent(tx, `sweep:${rule.name}:${groupKey}:${event.at}`, event);
    }
  });
  return new Date(now.getTime() + everyMs);
}

interface Sweep {
  readonly looks: readonly GroupLook[];
  readonly events: ReadonlyMap<string, SweptEvent>;
}

/** What a look at the sources of one rule shows that no message may have said. */
async function lookAtGroups(
  context: TimedContext,
  rule: Rule,
  tagStates: LookContext['tagStates'],
): Promise<Sweep> {
  const { kysely } = context.database;
  const since = new Date(context.now.getTime() - GROUPS_LIVE_MS);
  const groups =
    rule.groupBy.length === 0
      ? [await findOnlyGroup(kysely, rule.name)]
      : await listLivingGroups(kysely, rule.name, { since, limit: MAX_GROUPS });
  const looks: GroupLook[] = [];
  const events = new Map<string, SweptEvent>();
  for (const known of groups) {
    const { groupKey } = known;
    const group = readGroupKey(groupKey);
    if (!isGroupOf(rule, group)) {
      looks.push({ groupKey, isGone: true });
      continue;
    }
    const look = { kysely, sources: context.sources, now: context.now, tagStates };
    const { reason, kojiEvent, isGone } = await lookAgain(look, rule, known);
    looks.push({ groupKey, isGone });
    if (reason === null) continue;
    events.set(groupKey, {
      kind: 'state.swept',
      rule: rule.name,
      at: context.now.toISOString(),
      reason,
      ...(kojiEvent === null ? {} : { koji_event: kojiEvent }),
      ...(rule.groupBy.length === 0 ? {} : { group }),
    });
  }
  return { looks, events };
}

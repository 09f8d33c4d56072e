import { insertInternalEvent } from '../database/input-events.ts';
import { lastEvaluatedEvent } from '../database/compose-requests.ts';
import { moveRuleClock, readRuleClocks } from '../database/rule-clocks.ts';
import { findPauses } from '../database/rule-pauses.ts';
import { transaction, type TransactionContext } from '../database/transaction.ts';
import { lastWindowOfEachGroup } from '../database/windows.ts';
import { ReactorError } from '../model/errors.ts';
import type { SweptEvent } from '../model/event.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import { askCompose } from './ask-compose.ts';
import { readGroupKey, writeGroupKey, type Group } from './match-event.ts';
import type { StateSources } from './require.ts';
import { nextTick } from './schedule.ts';

export interface ReconcileContext {
  readonly database: TransactionContext;
  readonly rules: RuleSet;
  readonly sources: StateSources;
  /** The first time after the start: sweeps that are not a minute old are made whatever their interval. */
  readonly isStart: boolean;
  /** Told what kept one rule's sweep from being made; the others go on. */
  readonly onError: (rule: Rule, error: unknown) => void;
}

type TimedContext = ReconcileContext & { readonly now: Date };

const START_SWEEP_MS = 60_000;
const GROUPS_MS = 7 * 86_400_000;
const MAX_GROUPS = 200;

/**
 * Makes the ticks and sweeps that are due, each once among all workers; ticks that were missed become one. Answers
 * when the next is due, null where no rule has a clock. Source: RULES 4.4, 13.
 */
export async function runRuleClocks(given: ReconcileContext): Promise<Date | null> {
  const { handle, clock } = given.database;
  const context = { ...given, now: await clock.read(handle) };
  const clocks = await readRuleClocks(handle);
  const pauses = new Set((await findPauses(handle)).map(({ rule }) => rule));
  const lastChanges = new Map<string, Promise<number | null>>();
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
      note(await sweep(context, rule, rule.reconcileMs, own?.get('sweep'), lastChanges));
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
  lastChanges: Map<string, Promise<number | null>>,
): Promise<Date> {
  const { now } = context;
  const pause = context.isStart ? Math.min(everyMs, START_SWEEP_MS) : everyMs;
  // A sweep that lies in the future was made before the clock stepped back.
  if (last !== undefined && last <= now && now.getTime() - last.getTime() < pause) {
    return new Date(last.getTime() + everyMs);
  }
  const events = await sweptEvents(context, rule, lastChanges);
  await transaction(context.database, async (tx) => {
    if (!(await moveRuleClock(tx.sql, { rule: rule.name, clock: 'sweep', from: last, to: now }))) return;
    for (const event of events) {
      const id = `sweep:${rule.name}:${writeGroupKey(event.group ?? {})}:${event.at}`;
      await insertInternalEvent(tx, id, event);
    }
  });
  return new Date(now.getTime() + everyMs);
}

/** What a look at the sources of one rule shows that no message may have said. */
async function sweptEvents(
  context: TimedContext,
  rule: Rule,
  lastChanges: Map<string, Promise<number | null>>,
): Promise<readonly SweptEvent[]> {
  const since = new Date(context.now.getTime() - GROUPS_MS);
  const windows = await lastWindowOfEachGroup(context.database.handle, rule.name, since, MAX_GROUPS);
  const outcomes = new Map(windows.map((window) => [window.group_key, window.outcome]));
  const groups: readonly Group[] =
    rule.groupBy.length === 0 ? [{}] : windows.map((window) => readGroupKey(window.group_key));
  const events: SweptEvent[] = [];
  for (const group of groups) {
    const found = await lookAgain(
      context,
      rule,
      group,
      outcomes.get(writeGroupKey(group)) ?? null,
      lastChanges,
    );
    if (found === null) continue;
    const { reason, kojiEvent } = found;
    events.push({
      kind: 'state.swept',
      rule: rule.name,
      at: context.now.toISOString(),
      reason,
      ...(kojiEvent === null ? {} : { koji_event: kojiEvent }),
      ...(rule.groupBy.length === 0 ? {} : { group }),
    });
  }
  return events;
}

async function lookAgain(
  context: ReconcileContext,
  rule: Rule,
  group: Group,
  lastOutcome: string | null,
  lastChanges: Map<string, Promise<number | null>>,
): Promise<{ readonly reason: string; readonly kojiEvent: number | null } | null> {
  if (lastOutcome === 'not_ready' || lastOutcome === 'paused') {
    return { reason: `${rule.name} looks again: its last window ended as ${lastOutcome}.`, kojiEvent: null };
  }
  const tag = tagOf(rule, group);
  if (tag === null) {
    return rule.groupBy.length === 0
      ? { reason: `${rule.name} looks at its source again.`, kojiEvent: null }
      : null;
  }
  const { koji } = context.sources;
  if (koji === undefined) return null;
  const asking = lastChanges.get(tag.tag) ?? koji.tagLastChange(tag.tag);
  lastChanges.set(tag.tag, asking);
  const changed = await asking;
  if (changed === null) return null;
  const evaluated = await lastEvaluatedEvent(context.database.handle, tag.series);
  if (evaluated !== null && evaluated >= changed) return null;
  const before = evaluated === null ? 'never evaluated before' : `event ${evaluated} was evaluated last`;
  return { reason: `${tag.tag} changed at Koji event ${changed}; ${before}.`, kojiEvent: changed };
}

/** The tag and series of a rule that composes one tag, as far as the group says them. */
function tagOf(rule: Rule, group: Group): { readonly tag: string; readonly series: string } | null {
  try {
    const { body, series } = askCompose(rule, group, []);
    const source = body['source'];
    const entries = new Map(typeof source === 'object' && source !== null ? Object.entries(source) : []);
    const tag = entries.get('source');
    return entries.get('type') === 'tag' && typeof tag === 'string' && !tag.includes(' ')
      ? { tag, series }
      : null;
  } catch (error) {
    if (error instanceof ReactorError) return null;
    throw error;
  }
}

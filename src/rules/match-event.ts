import { insertDecisions, type NewDecision } from '../database/decisions.ts';
import { findInputEvents, markMatched, type StoredEvent } from '../database/input-events.ts';
import type { TransactionHandle } from '../database/database-handle.ts';
import { listLivingGroups, noteGroupSeen } from '../database/rule-groups.ts';
import { transaction, type TransactionContext, type UnitOfWork } from '../database/transaction.ts';
import {
  CARRIED_MS,
  closeWindow,
  findLastWindow,
  insertWindow,
  lockOpenWindow,
  updateWindow,
  type WindowRow,
} from '../database/windows.ts';
import { toPriority } from '../model/compose.ts';
import type { DomainEvent } from '../model/event.ts';
import type { Rule, RuleSet, Scalar } from '../model/rule.ts';
import { explainMatch } from './explain.ts';
import { matchRule } from './match.ts';
import { openOrExtend, type SettleWindow } from './settle.ts';

/** What matching an event needs. */
export interface MatchContext {
  readonly database: TransactionContext;
  readonly rules: RuleSet;
}

/** The values of a rule's group, in the order of its `group_by`. */
export type Group = Readonly<Record<string, Scalar>>;

/** A rule that fires on an event, and the group whose window it goes into. */
interface Firing {
  readonly rule: Rule;
  readonly group: Group;
}

const MAX_CARRIED = 1000;
/** Groups that one sweep or tick goes through; sweeps begin with those that were not looked at for the longest. */
export const MAX_GROUPS = 200;
/** A group that had no event for so long is not swept any more. */
export const GROUPS_LIVE_MS = 30 * 86_400_000;

/**
 * Matches one stored event against all rules: a decision row for every rule that lists its kind, and a window
 * opened or extended for each that fires, in one transaction that runs once however often the job is delivered.
 * Answers when the earliest of these windows is due; null where none was touched.
 */
export async function matchEvent(context: MatchContext, eventId: number): Promise<Date | null> {
  const [stored] = await findInputEvents(context.database.handle, [eventId]);
  if (stored === undefined || stored.stage === 'done') return null;
  const { firings, decisions } = await judge(context, stored, context.database.clock.now());
  return transaction(context.database, async (tx) => {
    if (!(await markMatched(tx.sql, eventId, tx.now))) return null;
    const dues: Date[] = [];
    const windows = new Map<string, number>();
    // In one order for all workers, so that two events that touch the same windows do not wait for each other.
    for (const { rule, group } of firings.toSorted(byKey)) {
      const { id, due } = await putInWindow(context, tx, { rule, group }, stored);
      dues.push(due);
      windows.set(rule.name, id);
    }
    await insertDecisions(
      tx.sql,
      decisions.map((decision) => ({ ...decision, windowId: windows.get(decision.rule) ?? null })),
    );
    return dues.length === 0 ? null : new Date(Math.min(...dues.map((due) => due.getTime())));
  });
}

async function judge(
  context: MatchContext,
  stored: StoredEvent,
  now: Date,
): Promise<{ readonly firings: readonly Firing[]; readonly decisions: readonly NewDecision[] }> {
  const { event } = stored.input;
  const firings: Firing[] = [];
  const decisions: NewDecision[] = [];
  const record = (rule: Rule, outcome: string, why: string, trail: readonly unknown[]) =>
    decisions.push({
      at: now,
      rule: rule.name,
      ruleSet: context.rules.version,
      eventId: stored.id,
      windowId: null,
      requestId: null,
      composeId: null,
      outcome,
      why,
      trail,
    });
  for (const rule of context.rules.rules) {
    if (rule.mode === 'off') continue;
    if (event.kind === 'schedule.tick' || event.kind === 'state.swept') {
      if (event.rule !== rule.name) continue;
      const groups =
        event.kind === 'state.swept' && event.group !== undefined
          ? [event.group]
          : await groupsOf(context, rule, now);
      firings.push(...groups.map((group) => ({ rule, group })));
      record(
        rule,
        'matched',
        event.kind === 'state.swept' ? event.reason : `${rule.name} follows its schedule.`,
        [],
      );
      continue;
    }
    const match = matchRule(rule, stored.input);
    if (match === null) continue;
    if (match.answer !== 'yes') {
      record(rule, match.answer === 'no' ? 'not_matched' : 'unknown', explainMatch(match), match.trail);
      continue;
    }
    const group = groupOf(rule, stored);
    if ('missing' in group) {
      record(
        rule,
        'unknown',
        `${rule.name} cannot tell: the message does not say "${group.missing}", which group_by names.`,
        match.trail,
      );
    } else {
      record(rule, 'matched', explainMatch(match), match.trail);
      firings.push({ rule, group: group.values });
    }
  }
  return { firings, decisions };
}

/** The group of a rule that an event belongs to, or the field that it does not say. */
export function groupOf(
  rule: Rule,
  stored: Pick<StoredEvent, 'input'>,
): { readonly values: Group } | { readonly missing: string } {
  const fields: Readonly<Record<string, unknown>> = { ...stored.input, ...stored.input.event };
  const values: Record<string, Scalar> = {};
  for (const field of rule.groupBy) {
    const value = fields[field];
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      return { missing: field };
    values[field] = typeof value === 'string' ? value.slice(0, 1024) : value;
  }
  return { values };
}

/** Groups that a tick of a grouped rule speaks to: those that live and had an event in the last week. */
async function groupsOf(context: MatchContext, rule: Rule, now: Date): Promise<readonly Group[]> {
  if (rule.groupBy.length === 0) return [{}];
  const since = new Date(now.getTime() - CARRIED_MS);
  const { handle } = context.database;
  const groups = await listLivingGroups(handle, rule.name, { since, limit: MAX_GROUPS });
  return groups.map(({ groupKey }) => readGroupKey(groupKey)).filter((group) => isGroupOf(rule, group));
}

/** Whether an event is a sign that its group lives: somebody's message or wish, not a clock of the rule itself. */
function isSign(event: DomainEvent): boolean {
  return event.kind === 'state.swept' ? event.at_once === true : event.kind !== 'schedule.tick';
}

/** Whether a group has the fields that the rule groups by now. */
export function isGroupOf(rule: Rule, group: Group): boolean {
  const fields = Object.keys(group);
  return fields.length === rule.groupBy.length && rule.groupBy.every((field) => fields.includes(field));
}

/** Writes a group as the text that names it. */
export function writeGroupKey(group: Group): string {
  return JSON.stringify(group);
}

/** Reads what `writeGroupKey` wrote. */
export function readGroupKey(key: string): Group {
  const parsed: unknown = JSON.parse(key);
  const values: Record<string, Scalar> = {};
  if (typeof parsed !== 'object' || parsed === null) return values;
  for (const [field, value] of Object.entries(parsed)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      values[field] = value;
  }
  return values;
}

function byKey(left: Firing, right: Firing): number {
  const a = `${left.rule.name}\0${writeGroupKey(left.group)}`;
  const b = `${right.rule.name}\0${writeGroupKey(right.group)}`;
  return a < b ? -1 : a > b ? 1 : 0;
}

async function putInWindow(
  context: MatchContext,
  tx: UnitOfWork,
  { rule, group }: Firing,
  stored: StoredEvent,
): Promise<{ readonly id: number; readonly due: Date }> {
  const key = { rule: rule.name, ruleSet: context.rules.version, groupKey: writeGroupKey(group) };
  const event = { id: stored.id, at: Date.parse(stored.input.receivedAt), priority: rule.priority };
  for (;;) {
    const row = await lockOpenWindow(tx.sql, key.rule, key.groupKey);
    const isAtOnce = stored.input.event.kind === 'state.swept' && stored.input.event.at_once === true;
    const times = isAtOnce ? { settleMs: 0, maxWaitMs: 0 } : rule;
    const step = openOrExtend(row === undefined ? null : toWindow(row), event, times);
    if (row !== undefined && step.closed === null) {
      await updateWindow(tx.sql, row.id, toValues(step.window, rule));
      return { id: row.id, due: new Date(step.window.dueAt) };
    }
    if (row !== undefined) {
      await closeWindow(tx, row.id, toPriority(row.priority));
    }
    const carried = await carriedCauses(tx.sql, key.rule, key.groupKey, tx.now);
    const causes = [...new Set([...carried, ...step.window.causes])].sort((left, right) => left - right);
    const id = await insertWindow(tx.sql, key, toValues({ ...step.window, causes }, rule));
    if (id !== undefined) {
      if (isSign(stored.input.event)) {
        await noteGroupSeen(tx.sql, key, new Date(stored.input.receivedAt));
      }
      return { id, due: new Date(step.window.dueAt) };
    }
    // Another worker opened the window between the look and the insert: now it can be locked.
  }
}

/** Events of the group's last window, where that waited for something in vain: they still want their compose. */
async function carriedCauses(
  handle: TransactionHandle,
  rule: string,
  groupKey: string,
  now: Date,
): Promise<readonly number[]> {
  const last = await findLastWindow(handle, rule, groupKey);
  if (last?.outcome !== 'not_ready' || last.opened_at.getTime() < now.getTime() - CARRIED_MS) return [];
  return last.causes.slice(-MAX_CARRIED);
}

function toWindow(row: WindowRow): SettleWindow {
  return {
    openedAt: row.opened_at.getTime(),
    lastAt: row.last_at.getTime(),
    dueAt: row.due_at.getTime(),
    priority: toPriority(row.priority),
    causes: row.causes,
  };
}

function toValues(window: SettleWindow, rule: Rule) {
  return {
    openedAt: new Date(window.openedAt),
    lastAt: new Date(window.lastAt),
    dueAt: new Date(window.dueAt),
    priority: window.priority,
    causes: window.causes,
    settleMs: rule.settleMs,
    maxWaitMs: rule.maxWaitMs,
  };
}

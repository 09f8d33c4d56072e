import type { TransactionHandle } from '../database/database-handle.ts';
import type { StoredEvent } from '../database/input-events.ts';
import { noteGroupSeen } from '../database/rule-groups.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import { addCauses, carryCauses } from '../database/window-causes.ts';
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
import type { Rule } from '../model/rule.ts';
import { writeGroupKey, type Group } from './group.ts';
import { openOrExtend, type SettleWindow } from './settle.ts';

/** Events that fired one rule for one group, in order of receipt. */
export interface Firing {
  readonly rule: Rule;
  readonly group: Group;
  readonly events: readonly StoredEvent[];
}

const MAX_CARRIED = 1000;
/** A window that is opened by events that were matched late stays open so long, so that a backlog becomes few. */
const BACKLOG_MS = 2000;

/** The window an event went into. */
export interface Placed {
  readonly windowId: number;
  readonly due: Date;
}

/**
 * Puts events into the window of their rule and group: the open one is locked once and written once, however many they
 * are. Returns where each went, by the number of the event.
 */
export async function putInWindow(
  tx: UnitOfWork,
  ruleSet: string,
  { rule, group, events }: Firing,
): Promise<ReadonlyMap<number, Placed>> {
  const key = { rule: rule.name, ruleSet, groupKey: writeGroupKey(group) };
  const placed = new Map<number, Placed>();
  let rest = events;
  while (rest.length > 0) {
    const row = await lockOpenWindow(tx.sql, key.rule, key.groupKey);
    const { window, taken } = fill(row === undefined ? null : toWindow(row), rule, rest);
    if (taken === 0 && row !== undefined) {
      // The next event came after it was due: it belongs to another window.
      await closeWindow(tx, row.id, toPriority(row.priority));
      continue;
    }
    const due = dueOfLate(window.dueAt, { row, now: tx.now, settleMs: settleOf(rest.slice(0, taken), rule) });
    const values = toValues({ ...window, dueAt: due }, rule);
    const id = row === undefined ? await open(tx, key, { values, first: rest[0] }) : row.id;
    // Undefined: another worker opened it between the look and the insert. Now it can be locked.
    if (id === undefined) continue;
    if (row !== undefined) await updateWindow(tx.sql, id, values);
    await addCauses(tx.sql, id, window.causes);
    for (const event of rest.slice(0, taken)) placed.set(event.id, { windowId: id, due: new Date(due) });
    rest = rest.slice(taken);
  }
  return placed;
}

/** Takes events into a window until one comes after it was due. The causes are the new ones alone. */
function fill(
  open: SettleWindow | null,
  rule: Rule,
  events: readonly StoredEvent[],
): { readonly window: SettleWindow; readonly taken: number } {
  let window = open;
  let taken = 0;
  for (const stored of events) {
    const event = { id: stored.id, at: Date.parse(stored.input.receivedAt), priority: rule.priority };
    const step = openOrExtend(window, event, timesOf(stored.input.event, rule));
    if (step.closed !== null) break;
    window = step.window;
    taken += 1;
  }
  if (window === null) throw new Error('No event was put into a window.');
  return { window, taken };
}

function timesOf(event: DomainEvent, rule: Rule) {
  return event.kind === 'state.swept' && event.at_once === true ? { settleMs: 0, maxWaitMs: 0 } : rule;
}

function settleOf(events: readonly StoredEvent[], rule: Rule): number {
  return Math.min(...events.map(({ input }) => timesOf(input.event, rule).settleMs));
}

/** When a window is due: for events that were matched late not at once, but at the time that it was opened with. */
function dueOfLate(
  dueAt: number,
  {
    row,
    now,
    settleMs,
  }: { readonly row: WindowRow | undefined; readonly now: Date; readonly settleMs: number },
): number {
  if (row === undefined) return Math.max(dueAt, now.getTime() + Math.min(BACKLOG_MS, settleMs));
  return dueAt > now.getTime() ? dueAt : Math.max(dueAt, row.due_at.getTime());
}

async function open(
  tx: UnitOfWork,
  key: { readonly rule: string; readonly ruleSet: string; readonly groupKey: string },
  {
    values,
    first,
  }: { readonly values: ReturnType<typeof toValues>; readonly first: StoredEvent | undefined },
): Promise<number | undefined> {
  const last = await findWaitingInVain(tx.sql, key, tx.now);
  const id = await insertWindow(tx.sql, key, values);
  if (id === undefined) return undefined;
  if (last !== null) await carryCauses(tx.sql, { from: last.id, to: id, limit: MAX_CARRIED });
  if (first !== undefined && isSign(first.input.event)) {
    await noteGroupSeen(tx.sql, key, new Date(first.input.receivedAt));
  }
  return id;
}

/** Whether an event is a sign that its group lives: somebody's message or wish, not a clock of the rule itself. */
function isSign(event: DomainEvent): boolean {
  return event.kind === 'state.swept' ? event.at_once === true : event.kind !== 'schedule.tick';
}

/** The group's last window where that waited for something in vain: its events still want their compose. */
async function findWaitingInVain(
  kysely: TransactionHandle,
  key: { readonly rule: string; readonly groupKey: string },
  now: Date,
): Promise<WindowRow | null> {
  const last = await findLastWindow(kysely, key.rule, key.groupKey);
  if (last?.outcome !== 'not_ready' || last.opened_at.getTime() < now.getTime() - CARRIED_MS) return null;
  return last;
}

function toWindow(row: WindowRow): SettleWindow {
  return {
    openedAt: row.opened_at.getTime(),
    lastAt: row.last_at.getTime(),
    dueAt: row.due_at.getTime(),
    priority: toPriority(row.priority),
    causes: [],
  };
}

function toValues(window: SettleWindow, rule: Rule) {
  return {
    openedAt: new Date(window.openedAt),
    lastAt: new Date(window.lastAt),
    dueAt: new Date(window.dueAt),
    priority: window.priority,
    settleMs: rule.settleMs,
    maxWaitMs: rule.maxWaitMs,
  };
}

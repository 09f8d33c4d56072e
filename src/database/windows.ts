import { sql, type Selectable } from 'kysely';
import type { Priority } from '../model/compose.ts';
import type { SettleWindowsTable } from './rule-tables.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import type { UnitOfWork } from './transaction.ts';

export type WindowRow = Selectable<SettleWindowsTable>;

/** The open window of a rule and group, held until the transaction ends; undefined where none is open. */
export async function lockOpenWindow(
  transaction: TransactionHandle,
  rule: string,
  groupKey: string,
): Promise<WindowRow | undefined> {
  return transaction
    .selectFrom('settle_windows')
    .selectAll()
    .where('rule', '=', rule)
    .where('group_key', '=', groupKey)
    .where('closed_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

/** Windows that ended `not_ready` this long ago no longer hand on their events. */
export const CARRIED_MS = 7 * 86_400_000;

export interface WindowValues {
  readonly openedAt: Date;
  readonly lastAt: Date;
  readonly dueAt: Date;
  readonly priority: string;
  readonly settleMs: number;
  readonly maxWaitMs: number;
}

/** Opens a window; returns its id, or undefined where another worker opened one first. */
export async function insertWindow(
  transaction: TransactionHandle,
  key: { readonly rule: string; readonly ruleSet: string; readonly groupKey: string },
  values: WindowValues,
): Promise<number | undefined> {
  const row = await transaction
    .insertInto('settle_windows')
    .values({
      rule: key.rule,
      rule_set: key.ruleSet,
      group_key: key.groupKey,
      closed_at: null,
      outcome: null,
      ...columns(values),
    })
    .onConflict((conflict) =>
      conflict.columns(['rule', 'group_key']).where('closed_at', 'is', null).doNothing(),
    )
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

/** Writes what an event changed in a window that is held. */
export async function updateWindow(
  transaction: TransactionHandle,
  id: number,
  values: WindowValues,
): Promise<void> {
  await transaction.updateTable('settle_windows').set(columns(values)).where('id', '=', id).execute();
}

function columns(values: WindowValues) {
  return {
    opened_at: values.openedAt,
    last_at: values.lastAt,
    due_at: values.dueAt,
    priority: values.priority,
    settle_ms: values.settleMs,
    max_wait_ms: values.maxWaitMs,
  };
}

/** Closes one window that is held, and enqueues its decision. */
export async function closeWindow(tx: UnitOfWork, id: number, priority: Priority): Promise<void> {
  await tx.sql
    .updateTable('settle_windows')
    .set({ closed_at: tx.now })
    .where('id', '=', id)
    .where('closed_at', 'is', null)
    .execute();
  await tx.send('window.close', { windowId: id }, { priority });
}

/** How long a due window waits for events that were received before and not matched yet. */
const STRAGGLER_MS = 2000;
/** An event that was not matched for this long is not about to be. */
const FRESH_MS = 60_000;

/**
 * Closes windows that are due, each exactly once however many workers ask, and enqueues their decisions. A window
 * waits, two seconds at most, while an event received before its due time is not matched yet. One that another worker
 * holds is left to it or to `closeOverdueWindow`. Returns the ids.
 */
export async function closeDueWindows(tx: UnitOfWork, limit: number): Promise<number[]> {
  const { now } = tx;
  const { rows } = await sql<ClosedWindow>`
    update settle_windows set closed_at = ${now}
    where id in (
      select id from settle_windows
      where closed_at is null and due_at <= ${now}
        and (due_at <= ${overdueSince(now)}
             or due_at < coalesce((select min(received_at) from events
                                   where stage <> 'done'
                                     and received_at > ${new Date(now.getTime() - FRESH_MS)}), 'infinity'))
      order by due_at limit ${limit} for update skip locked)
    returning id, priority`.execute(tx.sql);
  await sendDecisions(tx, rows);
  return rows.map(({ id }) => id);
}

interface ClosedWindow {
  readonly id: number;
  readonly priority: Priority;
}

function overdueSince(now: Date): Date {
  return new Date(now.getTime() - STRAGGLER_MS);
}

async function sendDecisions(tx: UnitOfWork, closed: readonly ClosedWindow[]): Promise<void> {
  for (const priority of ['security', 'normal', 'bulk'] as const) {
    const ids = closed.filter((row) => row.priority === priority).map(({ id }) => ({ windowId: id }));
    await tx.sendAll('window.close', ids, { priority });
  }
}

/** Returns windows that should have been closed for two seconds, the most overdue first. */
export async function findOverdueWindows(
  kysely: DatabaseHandle,
  now: Date,
  limit: number,
): Promise<readonly number[]> {
  const rows = await kysely
    .selectFrom('settle_windows')
    .select('id')
    .where('closed_at', 'is', null)
    .where('due_at', '<=', overdueSince(now))
    .orderBy('due_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Closes a window that is due, and waits in line for it where events are being put into it: however many come, it is
 * not passed over. Returns whether it was still open and due.
 */
export async function closeOverdueWindow(tx: UnitOfWork, id: number): Promise<boolean> {
  const { rows } = await sql<ClosedWindow>`
    update settle_windows set closed_at = ${tx.now}
    where id = ${id} and closed_at is null and due_at <= ${tx.now} returning id, priority`.execute(tx.sql);
  await sendDecisions(tx, rows);
  return rows.length > 0;
}

/** When the next window is due; null where none is open. */
export async function earliestDue(kysely: DatabaseHandle): Promise<Date | null> {
  const row = await kysely
    .selectFrom('settle_windows')
    .select('due_at')
    .where('closed_at', 'is', null)
    .orderBy('due_at')
    .limit(1)
    .executeTakeFirst();
  return row?.due_at ?? null;
}

/**
 * After the clock stepped back: no window waits longer than its settle time from now, which otherwise is always
 * true. Returns how many were moved.
 */
export async function clampWindows(kysely: DatabaseHandle, now: Date): Promise<number> {
  const result = await sql`
    update settle_windows
    set due_at = ${now}::timestamptz + least(settle_ms, max_wait_ms) * interval '1 millisecond'
    where closed_at is null
      and due_at > ${now}::timestamptz + least(settle_ms, max_wait_ms) * interval '1 millisecond'`.execute(
    kysely,
  );
  return Number(result.numAffectedRows ?? 0);
}

/** One window, or undefined. */
export async function findWindow(
  kysely: DatabaseHandle | TransactionHandle,
  id: number,
): Promise<WindowRow | undefined> {
  return kysely.selectFrom('settle_windows').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Marks a closed window as decided; false where another worker did so first. */
export async function markDecided(
  transaction: TransactionHandle,
  id: number,
  outcome: string,
  now: Date,
): Promise<boolean> {
  const result = await transaction
    .updateTable('settle_windows')
    .set({ decided_at: now, outcome })
    .where('id', '=', id)
    .where('decided_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** The newest window of a rule and group before one that is being opened; undefined where there was none. */
export async function findLastWindow(
  kysely: DatabaseHandle | TransactionHandle,
  rule: string,
  groupKey: string,
): Promise<WindowRow | undefined> {
  return kysely
    .selectFrom('settle_windows')
    .selectAll()
    .where('rule', '=', rule)
    .where('group_key', '=', groupKey)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Returns the windows of these ids, the newest first. */
export async function findWindows(kysely: DatabaseHandle, ids: readonly number[]): Promise<WindowRow[]> {
  if (ids.length === 0) return [];
  return kysely
    .selectFrom('settle_windows')
    .selectAll()
    .where('id', 'in', [...ids])
    .orderBy('id', 'desc')
    .execute();
}

/** Open windows, the next due first. */
export async function listOpenWindows(kysely: DatabaseHandle, limit: number): Promise<WindowRow[]> {
  return kysely
    .selectFrom('settle_windows')
    .selectAll()
    .where('closed_at', 'is', null)
    .orderBy('due_at')
    .limit(limit)
    .execute();
}

/** Open windows of some rules, the next due first. */
export async function listOpenWindowsOf(
  kysely: DatabaseHandle,
  rules: readonly string[],
  limit: number,
): Promise<WindowRow[]> {
  if (rules.length === 0) return [];
  return kysely
    .selectFrom('settle_windows')
    .selectAll()
    .where('rule', 'in', [...rules])
    .where('closed_at', 'is', null)
    .orderBy('due_at')
    .limit(limit)
    .execute();
}

/** Closes the open windows of rules that are gone or off; each is decided as `disabled`. Returns how many. */
export async function closeWindowsOf(tx: UnitOfWork, rules: readonly string[]): Promise<number> {
  if (rules.length === 0) return 0;
  const rows = await tx.sql
    .updateTable('settle_windows')
    .set({ closed_at: tx.now })
    .where('closed_at', 'is', null)
    .where('rule', 'in', [...rules])
    .returning('id')
    .execute();
  await tx.sendAll(
    'window.close',
    rows.map(({ id }) => ({ windowId: id })),
  );
  return rows.length;
}

/** Rules that have an open window. */
export async function rulesWithOpenWindows(kysely: DatabaseHandle): Promise<string[]> {
  const rows = await kysely
    .selectFrom('settle_windows')
    .select('rule')
    .distinct()
    .where('closed_at', 'is', null)
    .execute();
  return rows.map(({ rule }) => rule);
}

/** Ids of windows closed before a moment whose decision was lost with its job. */
export async function findUndecided(kysely: DatabaseHandle, before: Date, limit: number): Promise<number[]> {
  const rows = await kysely
    .selectFrom('settle_windows')
    .select('id')
    .where('decided_at', 'is', null)
    .where('closed_at', '<', before)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** The window of the same rule and group before one, or undefined. */
export async function findWindowBefore(
  kysely: DatabaseHandle,
  window: Pick<WindowRow, 'id' | 'rule' | 'group_key'>,
): Promise<WindowRow | undefined> {
  return kysely
    .selectFrom('settle_windows')
    .selectAll()
    .where('rule', '=', window.rule)
    .where('group_key', '=', window.group_key)
    .where('id', '<', window.id)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

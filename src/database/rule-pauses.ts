import type { Selectable } from 'kysely';
import type { RulePausesTable } from './rule-tables.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

export type RulePause = Selectable<RulePausesTable>;

/** Lets a rule stand still: its events are matched and recorded, its windows end as `paused`. */
export async function pauseRule(
  handle: DatabaseHandle | TransactionHandle,
  pause: { readonly rule: string; readonly by: string; readonly reason: string; readonly now: Date },
): Promise<void> {
  const values = { paused_at: pause.now, paused_by: pause.by, reason: pause.reason };
  await handle
    .insertInto('rule_pauses')
    .values({ rule: pause.rule, ...values })
    .onConflict((conflict) => conflict.column('rule').doUpdateSet(values))
    .execute();
}

/** Lets a paused rule go on; false where it was not paused. */
export async function resumeRule(handle: DatabaseHandle | TransactionHandle, rule: string): Promise<boolean> {
  const result = await handle.deleteFrom('rule_pauses').where('rule', '=', rule).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** All pauses. */
export async function findPauses(handle: DatabaseHandle): Promise<RulePause[]> {
  return handle.selectFrom('rule_pauses').selectAll().orderBy('rule').execute();
}

/** The pause of one rule, or undefined. */
export async function findPause(
  handle: DatabaseHandle | TransactionHandle,
  rule: string,
): Promise<RulePause | undefined> {
  return handle.selectFrom('rule_pauses').selectAll().where('rule', '=', rule).executeTakeFirst();
}

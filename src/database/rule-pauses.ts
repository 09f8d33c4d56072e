import type { Selectable } from 'kysely';
import type { RulePausesTable } from './rule-tables.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

export type RulePause = Selectable<RulePausesTable>;

/** Lets a rule stand still: its events are matched and recorded, its windows end as `paused`. */
export async function pauseRule(
  kysely: DatabaseHandle | TransactionHandle,
  pause: { readonly rule: string; readonly by: string; readonly reason: string; readonly now: Date },
): Promise<void> {
  const values = { paused_at: pause.now, paused_by: pause.by, reason: pause.reason };
  await kysely
    .insertInto('rule_pauses')
    .values({ rule: pause.rule, ...values })
    .onConflict((conflict) => conflict.column('rule').doUpdateSet(values))
    .execute();
}

/** Lets a paused rule go on; false where it was not paused. */
export async function resumeRule(kysely: DatabaseHandle | TransactionHandle, rule: string): Promise<boolean> {
  const result = await kysely.deleteFrom('rule_pauses').where('rule', '=', rule).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** All pauses. */
export async function findPauses(kysely: DatabaseHandle): Promise<RulePause[]> {
  return kysely.selectFrom('rule_pauses').selectAll().orderBy('rule').execute();
}

/** The pause of one rule, or undefined. */
export async function findPause(
  kysely: DatabaseHandle | TransactionHandle,
  rule: string,
): Promise<RulePause | undefined> {
  return kysely.selectFrom('rule_pauses').selectAll().where('rule', '=', rule).executeTakeFirst();
}

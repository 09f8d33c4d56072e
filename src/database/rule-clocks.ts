import { sql } from 'kysely';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** When each clock of each rule last came round: rule, then clock. */
export async function readRuleClocks(
  kysely: DatabaseHandle,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Date>>> {
  const rows = await kysely.selectFrom('rule_clocks').selectAll().execute();
  const clocks = new Map<string, Map<string, Date>>();
  for (const { rule, clock, last_at } of rows) {
    const ofRule = clocks.get(rule) ?? new Map<string, Date>();
    clocks.set(rule, ofRule.set(clock, last_at));
  }
  return clocks;
}

/** Forgets clocks that did not come round since a moment: their rules are gone. Returns how many. */
export async function pruneRuleClocks(
  kysely: DatabaseHandle,
  { before, limit }: { readonly before: Date; readonly limit: number },
): Promise<number> {
  const result = await sql`
    delete from rule_clocks where (rule, clock) in (
      select rule, clock from rule_clocks where last_at < ${before} limit ${limit})`.execute(kysely);
  return Number(result.numAffectedRows ?? 0);
}

/**
 * Moves a clock on from the time it was read at; false where another worker moved it first, and makes the event.
 */
export async function moveRuleClock(
  transaction: TransactionHandle,
  move: {
    readonly rule: string;
    readonly clock: string;
    readonly from: Date | undefined;
    readonly to: Date;
  },
): Promise<boolean> {
  const { rule, clock, from, to } = move;
  if (from === undefined) {
    const result = await transaction
      .insertInto('rule_clocks')
      .values({ rule, clock, last_at: to })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
  }
  const result = await transaction
    .updateTable('rule_clocks')
    .set({ last_at: to })
    .where('rule', '=', rule)
    .where('clock', '=', clock)
    .where('last_at', '=', from)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

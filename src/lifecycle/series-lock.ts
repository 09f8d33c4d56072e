import { sql } from 'kysely';
import type { TransactionHandle } from '../database/database-handle.ts';

/** Lets one transaction at a time change a series; held until the transaction ends. */
export async function lockSeries(kysely: TransactionHandle, series: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`series:${series}`}, 0))`.execute(kysely);
}

/**
 * Locks the series of a compose and of those that wait to show its directory, in one order for all transactions. To be
 * called before any of their rows is locked.
 */
export async function lockSeriesOfComposes(kysely: TransactionHandle, id: number): Promise<void> {
  const rows = await kysely
    .selectFrom('composes')
    .select('series')
    .distinct()
    .where((where) => where.or([where('id', '=', id), where('reused_id', '=', id)]))
    .where('series', 'is not', null)
    .orderBy('series')
    .execute();
  for (const { series } of rows) if (series !== null) await lockSeries(kysely, series);
}

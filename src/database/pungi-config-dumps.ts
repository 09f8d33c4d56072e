import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** Returns the whole configuration that a compose was made of, or is to be made of; null where none is kept. */
export async function findPungiConfigDump(
  kysely: DatabaseHandle | TransactionHandle,
  composeId: number,
): Promise<string | null> {
  const row = await kysely
    .selectFrom('pungi_config_dumps')
    .select('dump')
    .where('compose_id', '=', composeId)
    .executeTakeFirst();
  return row?.dump ?? null;
}

/** Keeps the whole configuration of a compose. */
export async function storePungiConfigDump(
  sql: TransactionHandle,
  composeId: number,
  dump: string,
): Promise<void> {
  await sql
    .insertInto('pungi_config_dumps')
    .values({ compose_id: composeId, dump })
    .onConflict((conflict) => conflict.column('compose_id').doUpdateSet({ dump }))
    .execute();
}

/** Lets a compose be made again by the configuration of another, where that has one. */
export async function copyPungiConfigDump(
  sql: TransactionHandle,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  const dump = await findPungiConfigDump(sql, from);
  if (dump !== null) await storePungiConfigDump(sql, to, dump);
}

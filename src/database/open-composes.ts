import type { DatabaseHandle } from './database-handle.ts';

/** Returns whether a compose is known and open to everybody. */
export async function isComposeOpen(kysely: DatabaseHandle, id: number): Promise<boolean> {
  const row = await kysely
    .selectFrom('composes')
    .select('id')
    .where('id', '=', id)
    .where('readers', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

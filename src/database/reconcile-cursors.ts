import type { DatabaseHandle } from './database-handle.ts';
import type { CursorPosition } from './tables.ts';

/** How far a system has been looked through; undefined before the first look. */
export async function readCursor(
  kysely: DatabaseHandle,
  source: string,
): Promise<CursorPosition | undefined> {
  const row = await kysely
    .selectFrom('reconcile_cursors')
    .select('position')
    .where('source', '=', source)
    .executeTakeFirst();
  return row?.position;
}

/** Notes how far a system has been looked through. */
export async function writeCursor(
  kysely: DatabaseHandle,
  source: string,
  position: CursorPosition,
  now: Date,
): Promise<void> {
  const values = { position: JSON.stringify(position), updated_at: now };
  await kysely
    .insertInto('reconcile_cursors')
    .values({ source, ...values })
    .onConflict((conflict) => conflict.column('source').doUpdateSet(values))
    .execute();
}

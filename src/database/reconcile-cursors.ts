import type { Database } from './database.ts';
import type { CursorPosition } from './tables.ts';

type Handle = Database['handle'];

/** How far a system has been looked through; undefined before the first look. */
export async function readCursor(handle: Handle, source: string): Promise<CursorPosition | undefined> {
  const row = await handle
    .selectFrom('reconcile_cursors')
    .select('position')
    .where('source', '=', source)
    .executeTakeFirst();
  return row?.position;
}

/** Notes how far a system has been looked through. */
export async function writeCursor(
  handle: Handle,
  source: string,
  position: CursorPosition,
  now: Date,
): Promise<void> {
  const values = { position: JSON.stringify(position), updated_at: now };
  await handle
    .insertInto('reconcile_cursors')
    .values({ source, ...values })
    .onConflict((conflict) => conflict.column('source').doUpdateSet(values))
    .execute();
}

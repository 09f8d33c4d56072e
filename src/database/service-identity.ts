import { randomUUID } from 'node:crypto';
import type { DatabaseHandle } from './database-handle.ts';

/** Returns the id of the service that this database belongs to; it is made where there is none. */
export async function findServiceId(kysely: DatabaseHandle, now: Date): Promise<string> {
  await kysely
    .insertInto('service_identity')
    .values({ id: randomUUID(), made_at: now })
    .onConflict((conflict) => conflict.column('is_only').doNothing())
    .execute();
  const { id } = await kysely.selectFrom('service_identity').select('id').executeTakeFirstOrThrow();
  return id;
}

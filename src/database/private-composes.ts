import type { Readable } from '../model/readers.ts';
import type { DatabaseHandle } from './database-handle.ts';

/** Returns those of these composes that not everybody may read. */
export async function findPrivateComposes(
  kysely: DatabaseHandle,
  ids: readonly number[],
): Promise<ReadonlyMap<number, Readable>> {
  if (ids.length === 0) return new Map();
  const rows = await kysely
    .selectFrom('composes')
    .select(['id', 'owner', 'readers'])
    .where('id', 'in', [...new Set(ids)])
    .where('readers', 'is not', null)
    .execute();
  return new Map(rows.map(({ id, ...row }) => [id, row]));
}

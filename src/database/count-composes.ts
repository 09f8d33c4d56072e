import { sourceTypes, type ComposeState } from '../model/compose.ts';
import type { DatabaseHandle } from './database-handle.ts';

/** How many composes there are of each source type and state; pairs without any are left out. */
export async function countComposes(
  handle: DatabaseHandle,
): Promise<readonly { readonly sourceType: number; readonly state: ComposeState; readonly count: number }[]> {
  const rows = await handle
    .selectFrom('composes')
    .select((expressions) => [
      'source_type',
      'state',
      expressions.cast<number>(expressions.fn.countAll(), 'integer').as('count'),
    ])
    .groupBy(['source_type', 'state'])
    .execute();
  return rows.map((row) => ({ sourceType: row.source_type, state: row.state, count: row.count }));
}

/** The same for the sources (`name#commit`) of raw_config composes. */
export async function countRawConfigs(
  handle: DatabaseHandle,
): Promise<readonly { readonly source: string; readonly state: ComposeState; readonly count: number }[]> {
  return handle
    .selectFrom('composes')
    .select((expressions) => [
      'source',
      'state',
      expressions.cast<number>(expressions.fn.countAll(), 'integer').as('count'),
    ])
    .where('source_type', '=', sourceTypes.raw_config)
    .groupBy(['source', 'state'])
    .execute();
}

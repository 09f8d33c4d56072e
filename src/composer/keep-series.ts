import { listKeepingSeries, listLivingOfSeries } from '../database/series.ts';
import { transaction } from '../database/transaction.ts';
import { shareLife } from '../lifecycle/compose-life.ts';
import { lockSeries } from '../lifecycle/series-lock.ts';
import { composesToKeep } from '../series/composes-to-keep.ts';
import type { ComposerContext } from './composer-context.ts';

const HOUR = 3_600_000;
/** A compose that is kept and would expire within an hour lives two hours from now. */
const SOON = HOUR;
const LONGER = 2 * HOUR;

/**
 * Lets the composes live on that their series keeps. What somebody had removed is not kept. To be called before what
 * has expired is removed.
 */
export async function keepSeries({
  database,
  log,
}: Pick<ComposerContext, 'database' | 'log'>): Promise<void> {
  const now = await database.clock.read(database.kysely);
  const soon = new Date(now.getTime() + SOON);
  for (const { name, keep } of await listKeepingSeries(database.kysely, soon)) {
    const ids = await transaction(database, async (tx) => {
      await lockSeries(tx.sql, name);
      const living = (await listLivingOfSeries(tx.sql, name)).filter(({ removedBy }) => removedBy === null);
      const kept = composesToKeep(living, keep, tx.now);
      const ending = living.filter(({ id, expiresAt }) => kept.has(id) && expiresAt < soon);
      const shown = ending.flatMap(({ id, reusedId }) => (reusedId === null ? [id] : [id, reusedId]));
      const inOrder = [...new Set(shown)].sort((left, right) => left - right);
      if (inOrder.length > 0) await shareLife(tx.sql, inOrder, new Date(tx.now.getTime() + LONGER));
      return inOrder;
    });
    if (ids.length > 0) log.debug({ series: name, composes: ids.length }, 'composes of a series are kept');
  }
}

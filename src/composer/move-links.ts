import type { UnitOfWork } from '../database/transaction.ts';
import type { Compose } from '../model/compose-json.ts';
import { moveReleaseLinks } from './release-links.ts';
import { moveSeriesLinks, type SeriesLinkContext } from './series-links.ts';

/** Lets the links of series and releases show what has just ended. To be called last in the transaction that ends it. */
export async function moveLinks(
  context: SeriesLinkContext,
  tx: UnitOfWork,
  compose: Pick<Compose, 'id' | 'targetDir'>,
): Promise<void> {
  await moveSeriesLinks(context, tx, compose.id);
  await moveReleaseLinks(context, tx, compose);
}

import { sendDueImages } from '../../database/images.ts';
import { transaction } from '../../database/transaction.ts';
import type { ComposerContext } from '../composer-context.ts';

/** A server that was away is soon there again. */
const AFTER_PROBLEM_SECONDS = 300;

/** Has the sources of images looked at again that were looked at so many seconds ago, sooner where that failed. */
export async function refreshImages(
  { database }: Pick<ComposerContext, 'database'>,
  refreshSeconds: number,
): Promise<void> {
  await transaction(database, (tx) =>
    sendDueImages(tx, {
      before: secondsBefore(tx.now, refreshSeconds),
      problemBefore: secondsBefore(tx.now, Math.min(refreshSeconds, AFTER_PROBLEM_SECONDS)),
    }),
  );
}

function secondsBefore(now: Date, seconds: number): Date {
  return new Date(now.getTime() - seconds * 1000);
}

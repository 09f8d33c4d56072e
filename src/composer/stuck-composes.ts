import { sql } from 'kysely';
import { lockCompose, moveCompose, releaseReusers } from '../database/composes.ts';
import { transaction } from '../database/transaction.ts';
import type { ComposerContext } from './composer-context.ts';

/**
 * Ends composes that nobody works on and nobody will: their job has failed for good, with the worker, before it
 * could say so. A compose that waits for another one is not stuck.
 */
export async function failStuckComposes(context: ComposerContext): Promise<void> {
  const { handle, jobs } = context.database;
  const { rows } = await sql<{ id: number }>`
    select compose.id from composes as compose
    where compose.state in ('wait', 'generating') and compose.reused_id is null
      and exists (
        select 1 from pgboss.job as job where job.name = 'compose.run'
          and job.data ->> 'composeId' = compose.id::text)
      and not exists (
        select 1 from pgboss.job as job where job.name = 'compose.run'
          and job.data ->> 'composeId' = compose.id::text and job.state in ('created', 'retry', 'active'))`.execute(
    handle,
  );
  for (const { id } of rows) {
    await transaction(handle, (transactionHandle) =>
      moveCompose(
        {
          transaction: transactionHandle,
          jobs,
          now: context.clock.now(),
          targetDirUrl: context.targetDirUrl,
        },
        id,
        ['wait', 'generating'],
        {
          to: 'failed',
          reason: 'Error while generating compose: every attempt ended with the process that made it.',
        },
      ),
    );
    context.log.error({ compose: id }, 'stuck compose failed');
  }
}

/**
 * Ends composes that wait for another one which has ended already, as that one did; where it is gone, cancelled or
 * removed, they go on by themselves. Source: ODCS contract 13.
 */
export async function mendReusers(context: ComposerContext): Promise<void> {
  const { handle, jobs } = context.database;
  const rows = await handle
    .selectFrom('composes as compose')
    .innerJoin('composes as shown', 'shown.id', 'compose.reused_id')
    .select(['compose.id', 'shown.id as shown_id'])
    .where('compose.state', '=', 'generating')
    .where('shown.state', 'in', ['done', 'failed', 'removed'])
    .execute();
  for (const { id, shown_id: shownId } of rows) {
    await transaction(handle, async (transactionHandle) => {
      const change = {
        transaction: transactionHandle,
        jobs,
        now: context.clock.now(),
        targetDirUrl: context.targetDirUrl,
      };
      const shown = await lockCompose(transactionHandle, shownId);
      if (shown === undefined) return;
      const isOver = shown.state === 'removed' || shown.cancelRequestedBy !== null;
      if (shown.state === 'done' || (shown.state === 'failed' && !isOver)) {
        await moveCompose(change, id, ['generating'], { to: shown.state, reason: shown.stateReason });
      } else if (isOver) await releaseReusers(change, shownId);
    });
    context.log.warn({ compose: id, reused: shownId }, 'compose that waited in vain mended');
  }
}

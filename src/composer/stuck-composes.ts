import { sql } from 'kysely';
import { moveCompose } from '../database/composes.ts';
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

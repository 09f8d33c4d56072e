import { sql } from 'kysely';
import { findComposeRequest } from '../database/compose-requests.ts';
import { findCompose } from '../database/composes.ts';
import { transaction, type TransactionContext } from '../database/transaction.ts';
import { sendComposeJob } from './send-compose-job.ts';
import { sendRequestJob } from './move-request.ts';

/** Work that began before, or waits since, is looked at; what is younger has its job for certain. */
const SETTLED_MS = 60_000;
const AT_ONCE = 50;

/**
 * Enqueues again what nobody will work on because its job is gone: a request whose time has come while no other of its
 * series runs, or that runs without a job; a compose that waits or is made without one. Jobs are sent with what makes
 * them necessary, so this finds only what a restored or emptied queue lost. Returns how many were enqueued.
 */
export async function enqueueLostWork(context: TransactionContext): Promise<number> {
  const before = new Date((await context.clock.read(context.kysely)).getTime() - SETTLED_MS);
  let found = 0;
  for (const { id } of await listRequests(context, before)) {
    if (await context.jobs.isKnown('request.run', String(id))) continue;
    await transaction(context, async (tx) => {
      const request = await findComposeRequest(tx.sql, id);
      if (request !== undefined) await sendRequestJob(tx, request);
    });
    found++;
  }
  for (const { id } of await listComposes(context, before)) {
    if (await context.jobs.isKnown('compose.run', String(id))) continue;
    await transaction(context, async (tx) => {
      const compose = await findCompose(tx.sql, id);
      if (compose !== undefined) await sendComposeJob(tx, compose);
    });
    found++;
  }
  return found;
}

/** The request of each series that should have a job: the one that runs, else the eldest whose time has come. */
async function listRequests({ kysely }: TransactionContext, before: Date) {
  const { rows } = await sql<{ id: number }>`
    select distinct on (request.series) request.id
    from compose_requests as request left join composes as compose on compose.id = request.compose_id
    where request.state in ('pending', 'running')
      and ((request.state = 'running' and request.started_at < ${before} and compose.reused_id is null)
       or (request.state = 'pending' and coalesce(request.not_before, request.created_at) < ${before}
           and not exists (select 1 from compose_requests as other
                           where other.series = request.series and other.state = 'running')))
    order by request.series, request.state desc, request.id limit ${AT_ONCE}`.execute(kysely);
  return rows;
}

async function listComposes({ kysely }: TransactionContext, before: Date) {
  return kysely
    .selectFrom('composes')
    .select('id')
    .where('state', 'in', ['wait', 'generating'])
    .where('reused_id', 'is', null)
    .where('request_id', 'is', null)
    .where('time_submitted', '<', before)
    .orderBy('id')
    .limit(AT_ONCE)
    .execute();
}

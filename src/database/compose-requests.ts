import type { Priority } from '../model/compose.ts';
import type { DatabaseHandle, TransactionHandle } from './transaction.ts';
import type { Jobs } from './jobs.ts';

/** What a rule asks of the composer: an ODCS request body and where it comes from. */
export interface NewComposeRequest {
  readonly rule: string;
  readonly series: string;
  readonly body: Record<string, unknown>;
  readonly priority: Priority;
  readonly causes: readonly number[];
  readonly minEvent: number | null;
  readonly chain: readonly string[];
  /** `skip`: an unchanged plan composes nothing; `compose`: it is composed all the same. */
  readonly unchanged: 'skip' | 'compose';
  readonly notBefore: Date | null;
}

/** How a request ended. */
export type RequestOutcome =
  | { readonly outcome: 'composed'; readonly composeId: number }
  | { readonly outcome: 'unchanged'; readonly composeId: number; readonly why: string }
  | { readonly outcome: 'failed'; readonly composeId: number | null; readonly why: string };

/** Stores a request and enqueues its planning; answers its id. */
export async function insertComposeRequest(
  context: { readonly transaction: TransactionHandle; readonly jobs: Jobs; readonly now: Date },
  request: NewComposeRequest,
): Promise<number> {
  const { id } = await context.transaction
    .insertInto('compose_requests')
    .values({
      rule: request.rule,
      series: request.series,
      body: JSON.stringify(request.body),
      priority: request.priority,
      causes: JSON.stringify(request.causes),
      min_event: request.minEvent,
      chain: JSON.stringify(request.chain),
      unchanged: request.unchanged,
      state: 'pending',
      not_before: request.notBefore,
      created_at: context.now,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await context.jobs.send(
    'request.plan',
    { requestId: id },
    {
      transaction: context.transaction,
      priority: request.priority,
      ...(request.notBefore === null ? {} : { startAfter: request.notBefore }),
    },
  );
  return id;
}

/** One request, or undefined. */
export async function findComposeRequest(handle: DatabaseHandle | TransactionHandle, id: number) {
  return handle.selectFrom('compose_requests').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Ends a request and its decision alike, so that "why" is answered from either side. */
export async function finishComposeRequest(
  context: { readonly transaction: TransactionHandle; readonly now: Date },
  id: number,
  result: RequestOutcome,
): Promise<void> {
  const why = result.outcome === 'composed' ? null : result.why;
  await context.transaction
    .updateTable('compose_requests')
    .set({ state: result.outcome, reason: why, compose_id: result.composeId, finished_at: context.now })
    .where('id', '=', id)
    .execute();
  await context.transaction
    .updateTable('decisions')
    .set({
      outcome: result.outcome,
      compose_id: result.composeId,
      why: why ?? `Compose ${result.composeId ?? ''} was made.`,
    })
    .where('request_id', '=', id)
    .execute();
}

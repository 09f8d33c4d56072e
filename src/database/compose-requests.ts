import { sql } from 'kysely';
import { priorities, type Priority } from '../model/compose.ts';
import type { WhenBusy } from '../model/rule.ts';
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

/** What changing the queue of requests needs. */
export interface QueueContext {
  readonly transaction: TransactionHandle;
  readonly jobs: Jobs;
  readonly now: Date;
}

/** How a request ended. */
export type RequestOutcome =
  | { readonly outcome: 'composed'; readonly composeId: number }
  | { readonly outcome: 'unchanged'; readonly composeId: number; readonly why: string }
  | { readonly outcome: 'failed'; readonly composeId: number | null; readonly why: string };

/** Stores a request and enqueues its planning; answers its id. */
export async function insertComposeRequest(
  context: QueueContext,
  request: NewComposeRequest,
  whenBusy: WhenBusy = 'queue',
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
      when_busy: whenBusy,
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

/**
 * Ends a request and its decision alike, so that "why" is answered from either side, and wakes the next request
 * of its series.
 */
export async function finishComposeRequest(
  context: QueueContext,
  id: number,
  result: RequestOutcome,
): Promise<void> {
  const why = result.outcome === 'composed' ? null : result.why;
  const ended = await context.transaction
    .updateTable('compose_requests')
    .set({ state: result.outcome, reason: why, compose_id: result.composeId, finished_at: context.now })
    .where('id', '=', id)
    .where('state', 'in', ['pending', 'running'])
    .returning('series')
    .executeTakeFirst();
  if (ended === undefined) return;
  const decisions = await context.transaction
    .updateTable('decisions')
    .set({
      outcome: result.outcome,
      compose_id: result.composeId,
      why: why ?? `Compose ${result.composeId ?? ''} was made.`,
    })
    .where('request_id', '=', id)
    .returning('id')
    .execute();
  await context.jobs.sendAll(
    'rule.notify',
    decisions.map((decision) => ({ decisionId: decision.id })),
    { transaction: context.transaction },
  );
  await wakeNextRequest(context, ended.series);
}

/** After a request of a series ended: enqueues the next pending one, by priority with ageing, then age. */
export async function wakeNextRequest(context: QueueContext, series: string): Promise<number | null> {
  const next = await context.transaction
    .selectFrom('compose_requests')
    .select(['id', 'priority', 'not_before'])
    .where('series', '=', series)
    .where('state', '=', 'pending')
    .orderBy(effectiveRank(context.now), 'desc')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (next === undefined) return null;
  await context.jobs.send(
    'request.plan',
    { requestId: next.id },
    {
      transaction: context.transaction,
      priority: toPriority(next.priority),
      ...(next.not_before === null ? {} : { startAfter: next.not_before }),
    },
  );
  return next.id;
}

/** A waiting request gains one level every 30 minutes, so that bulk is not starved. Source: RULES 4.4, 8. */
function effectiveRank(now: Date) {
  return sql<number>`least(2, case priority when 'security' then 2 when 'normal' then 1 else 0 end
    + floor(extract(epoch from (${now}::timestamptz - created_at)) / 1800))`;
}

/** The priority a row names. */
export function toPriority(text: string): Priority {
  return priorities.find((priority) => priority === text) ?? 'normal';
}

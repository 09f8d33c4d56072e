import { sql } from 'kysely';
import type { ComposeRequestRow } from '../database/compose-requests.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import { toPriority } from '../model/compose.ts';
import { requestTransitions } from './request-transitions.ts';
import { lockSeries } from './series-lock.ts';

/** A request that an attempt works on, as long as no later attempt has taken it. */
export interface HeldRequest {
  readonly id: number;
  readonly series: string;
  readonly attempt: number;
}

/** How a request ended. */
export type RequestOutcome =
  | { readonly outcome: 'composed'; readonly composeId: number; readonly changesImages: boolean }
  | { readonly outcome: 'unchanged'; readonly composeId: number; readonly why: string }
  | { readonly outcome: 'failed'; readonly composeId: number | null; readonly why: string };

/**
 * Lets an attempt take a request: one that waits, where no other of its series runs, or one that an earlier attempt
 * left. From now on what earlier attempts write changes nothing. Returns the row, or undefined where there is nothing
 * to do now: whoever runs wakes the next when it ends.
 */
export async function beginRequest(tx: UnitOfWork, id: number): Promise<ComposeRequestRow | undefined> {
  const found = await tx.sql
    .selectFrom('compose_requests')
    .select('series')
    .where('id', '=', id)
    .executeTakeFirst();
  if (found === undefined) return undefined;
  await lockSeries(tx.sql, found.series);
  const { from, to } = requestTransitions.begin;
  return tx.sql
    .updateTable('compose_requests')
    .set((row) => ({
      state: to,
      attempt: row('attempt', '+', 1),
      started_at: row.fn.coalesce('started_at', row.val(tx.now)),
      read_at: tx.now,
    }))
    .where('id', '=', id)
    .where('state', 'in', from)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('compose_requests as other')
            .select('other.id')
            .where('other.series', '=', found.series)
            .where('other.id', '<>', id)
            .where('other.state', '=', 'running'),
        ),
      ),
    )
    .returningAll()
    .executeTakeFirst();
}

/** Notes what the plan of a request saw; the attempt must hold it. */
export async function noteRequestPlanned(
  tx: UnitOfWork,
  held: HeldRequest,
  seen: { readonly kojiEvent: number | null; readonly tookFallback: boolean },
): Promise<void> {
  await tx.sql
    .updateTable('compose_requests')
    .set({ koji_event: seen.kojiEvent, took_fallback: seen.tookFallback })
    .where('id', '=', held.id)
    .execute();
}

/**
 * Ends a request that an attempt holds: its decisions say how, those whom the rule names are told, and the next of the
 * series is woken. Returns whether the attempt still held it: nothing changes otherwise.
 */
export async function endHeldRequest(
  tx: UnitOfWork,
  held: HeldRequest,
  result: RequestOutcome,
): Promise<boolean> {
  return (await isHeldRequest(tx, held)) && endRequest(tx, held, result);
}

/** Returns whether an attempt still holds its request; it does until the transaction ends, for its series is locked. */
export async function isHeldRequest(tx: UnitOfWork, held: HeldRequest): Promise<boolean> {
  await lockSeries(tx.sql, held.series);
  const row = await tx.sql
    .selectFrom('compose_requests')
    .select(['attempt', 'state'])
    .where('id', '=', held.id)
    .executeTakeFirst();
  return row?.attempt === held.attempt && row.state === 'running';
}

/** Ends a request whatever attempt holds it, as `endHeldRequest` does. Returns whether it had not ended before. */
export async function endRequest(
  tx: UnitOfWork,
  request: { readonly id: number; readonly series: string },
  result: RequestOutcome,
): Promise<boolean> {
  // Before anything is looked at: a request that is placed meanwhile is seen by whoever wakes the next.
  await lockSeries(tx.sql, request.series);
  const { from, to } = requestTransitions[result.outcome];
  const why = result.outcome === 'composed' ? null : result.why;
  const ended = await tx.sql
    .updateTable('compose_requests')
    .set({ state: to, reason: why, compose_id: result.composeId, finished_at: tx.now })
    .where('id', '=', request.id)
    .where('state', 'in', from)
    .returning('id')
    .executeTakeFirst();
  if (ended === undefined) return false;
  const decisions = await tx.sql
    .updateTable('decisions')
    .set({
      outcome: result.outcome,
      compose_id: result.composeId,
      why: why ?? `Compose ${result.composeId ?? ''} was made.`,
    })
    .where('request_id', '=', request.id)
    .returning('id')
    .execute();
  await tx.sendAll(
    'rule.notify',
    decisions.flatMap(({ id }) => [
      { decisionId: id },
      ...(result.outcome === 'composed' && result.changesImages
        ? [{ decisionId: id, word: 'image_changed' as const }]
        : []),
    ]),
  );
  await wakeNextRequest(tx, request.series);
  return true;
}

/**
 * Enqueues the next request of a series that waits, by priority with ageing, then age. The series must be locked.
 * Returns its id, or null where none waits.
 */
async function wakeNextRequest(tx: UnitOfWork, series: string): Promise<number | null> {
  const next = await tx.sql
    .selectFrom('compose_requests')
    .select(['id', 'priority', 'not_before'])
    .where('series', '=', series)
    .where('state', '=', 'pending')
    .orderBy(agedRank(tx.now), 'desc')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (next === undefined) return null;
  await sendRequestJob(tx, next);
  return next.id;
}

/** Enqueues the work on a request, at its earliest start. */
export async function sendRequestJob(
  tx: UnitOfWork,
  request: Pick<ComposeRequestRow, 'id' | 'priority' | 'not_before'>,
): Promise<void> {
  await tx.send(
    'request.run',
    { requestId: request.id },
    {
      priority: toPriority(request.priority),
      key: String(request.id),
      ...(request.not_before === null ? {} : { startAfter: request.not_before }),
    },
  );
}

/** A waiting request gains one level every 30 minutes, so that bulk is not starved. Source: RULES 4.4, 8. */
function agedRank(now: Date) {
  return sql<number>`least(2, case priority when 'security' then 2 when 'normal' then 1 else 0 end
    + floor(extract(epoch from (${now}::timestamptz - created_at)) / 1800))`;
}

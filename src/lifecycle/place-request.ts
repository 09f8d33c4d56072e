import type { ComposeRequestRow } from '../database/compose-requests.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import { currentTrace } from '../instrument.ts';
import { toPriority, type Priority } from '../model/compose.ts';
import { hubOfBody } from '../model/hub-name.ts';
import { higherPriority, type WhenBusy, type WhenUnchanged } from '../model/rule.ts';
import { sendRequestJob } from './move-request.ts';
import { requestTransitions } from './request-transitions.ts';

/** What a rule asks of the composer: an ODCS request body and where it comes from. */
export interface NewComposeRequest {
  readonly rule: string;
  readonly series: string;
  readonly body: Record<string, unknown>;
  readonly priority: Priority;
  readonly causes: readonly number[];
  readonly minEvent: number | null;
  readonly chain: readonly string[];
  readonly unchanged: WhenUnchanged;
  readonly notBefore: Date | null;
  /** Whether nothing but sweeps led to it. */
  readonly isSwept?: boolean;
}

/** A series that is asked to queue at most this many requests. Source: RULES 4.4, 7. */
const MAX_QUEUE = 100;

/** What became of a request that was placed in its series. */
export interface Placement {
  readonly id: number;
  /** Pending requests that it took in. */
  readonly superseded: readonly number[];
  /** The running request that was told to stop. */
  readonly cancelling: number | null;
}

/**
 * Places a request in its series. `latest` and `cancel_running` take in what is pending: the greater event, the
 * higher priority, causes and lists of both; `queue` keeps each, up to 100, the eldest giving way. The series must
 * be locked. Source: RULES 4.4, 7.
 */
export async function placeComposeRequest(
  tx: UnitOfWork,
  request: NewComposeRequest,
  whenBusy: WhenBusy,
): Promise<Placement> {
  const pending = await tx.sql
    .selectFrom('compose_requests')
    .selectAll()
    .where('series', '=', request.series)
    .where('state', '=', 'pending')
    .orderBy('id')
    .forUpdate()
    .execute();
  const taken =
    whenBusy === 'queue' ? pending.slice(0, Math.max(0, pending.length - MAX_QUEUE + 1)) : pending;
  const merged = taken.reduce(mergeRequests, request);
  const ids = taken.map(({ id }) => id);
  if (ids.length > 0) {
    await tx.sql
      .updateTable('compose_requests')
      .set({ state: requestTransitions.supersede.to, finished_at: tx.now })
      .where('id', 'in', ids)
      .where('state', 'in', requestTransitions.supersede.from)
      .execute();
  }
  const id = await insertRequest(tx, merged, whenBusy);
  if (ids.length > 0) await recordSuperseded(tx, ids, id);
  const cancelling = whenBusy === 'cancel_running' ? await cancelRunning(tx, request) : null;
  return { id, superseded: ids, cancelling };
}

async function insertRequest(
  tx: UnitOfWork,
  request: NewComposeRequest,
  whenBusy: WhenBusy,
): Promise<number> {
  const row = await tx.sql
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
      is_swept: request.isSwept ?? false,
      created_at: tx.now,
      trace: currentTrace(),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await sendRequestJob(tx, row);
  return row.id;
}

async function recordSuperseded(tx: UnitOfWork, ids: readonly number[], by: number): Promise<void> {
  await tx.sql
    .updateTable('compose_requests')
    .set({ superseded_by: by, reason: `Request ${by} took it in.` })
    .where('id', 'in', [...ids])
    .execute();
  await tx.sql
    .updateTable('decisions')
    .set({ outcome: 'superseded', why: `Request ${by} of the same series took it in before it started.` })
    .where('request_id', 'in', [...ids])
    .execute();
}

async function cancelRunning(tx: UnitOfWork, request: NewComposeRequest): Promise<number | null> {
  const running = await tx.sql
    .selectFrom('compose_requests')
    .select('id')
    .where('series', '=', request.series)
    .where('state', '=', 'running')
    .executeTakeFirst();
  if (running === undefined) return null;
  await tx.sql
    .updateTable('composes')
    .set({ cancel_requested_by: `rule ${request.rule}` })
    .where('request_id', '=', running.id)
    .where('state', 'in', ['wait', 'generating'])
    .execute();
  return running.id;
}

/** Returns the request that stands for both: the newer body, with the lists of both where both have one. */
function mergeRequests(newer: NewComposeRequest, older: ComposeRequestRow): NewComposeRequest {
  // Each hub numbers its events by itself.
  const isSameHub = hubOfBody(newer.body) === hubOfBody(older.body);
  const events = [newer.minEvent, isSameHub ? older.min_event : null].filter((event) => event !== null);
  return {
    ...newer,
    body: uniteLists(newer.body, older.body),
    priority: higherPriority(newer.priority, toPriority(older.priority)),
    causes: [...new Set([...older.causes, ...newer.causes])].sort((left, right) => left - right),
    minEvent: events.length === 0 ? null : Math.max(...events),
    unchanged: older.unchanged === 'compose' ? 'compose' : newer.unchanged,
    notBefore: earlier(newer.notBefore, older.not_before),
    isSwept: newer.isSwept === true && older.is_swept,
  };
}

/** A pending start never moves back; a request without one may start at once. */
function earlier(left: Date | null, right: Date | null): Date | null {
  if (left === null || right === null) return null;
  return left < right ? left : right;
}

function uniteLists(newer: Record<string, unknown>, older: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(newer).map(([key, value]) => {
      const other = older[key];
      if (Array.isArray(value) && Array.isArray(other)) return [key, [...new Set([...other, ...value])]];
      if (isObject(value) && isObject(other)) return [key, uniteLists(value, other)];
      return [key, value];
    }),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

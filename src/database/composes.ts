import { sql, type Selectable } from 'kysely';
import { createHash } from 'node:crypto';
import type { Compose } from '../model/compose-json.ts';
import { composeJson } from '../model/compose-json.ts';
import { sourceTypes, type ComposeRequest, type ComposeState, type Priority } from '../model/compose.ts';
import { storeComposeEvent } from './compose-events.ts';
import { finishComposeRequest, toPriority } from './compose-requests.ts';
import type { Jobs } from './jobs.ts';
import type { ComposesTable, ComposeProgress } from './tables.ts';
import type { DatabaseHandle, TransactionHandle } from './transaction.ts';

/** What a change of state needs beside the transaction. */
export interface StateChangeContext {
  readonly transaction: TransactionHandle;
  readonly jobs: Jobs;
  readonly now: Date;
  /** Public URL of the default target directory, for the announcement. */
  readonly targetDirUrl: string;
}

export interface NewCompose {
  readonly owner: string;
  readonly request: ComposeRequest;
  readonly priority: Priority;
  readonly series?: string;
  readonly requestId?: number;
  readonly idempotencyKey?: string;
}

/** Stores a new compose in state `wait`, announces it and enqueues its job. */
export async function insertCompose(context: StateChangeContext, input: NewCompose): Promise<Compose> {
  const { request } = input;
  const row = await context.transaction
    .insertInto('composes')
    .values({
      owner: input.owner,
      request: JSON.stringify(request),
      source_type: sourceTypes[request.sourceType],
      source: request.source.join(' '),
      state: 'wait',
      time_submitted: context.now,
      time_to_expire: new Date(context.now.getTime() + request.secondsToLive * 1000),
      koji_event: request.kojiEvent,
      arches: request.arches.join(' '),
      sigkeys: request.sigkeys.join(' '),
      label: request.label,
      compose_type: request.composeType,
      respin_of: request.respinOf,
      target_dir: request.targetDir,
      priority: input.priority,
      series: input.series ?? null,
      request_id: input.requestId ?? null,
      idempotency_key: input.idempotencyKey ?? null,
      warnings: '[]',
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const compose = toCompose(row);
  await announce(context, compose);
  await context.jobs.send(
    'compose.run',
    { composeId: compose.id },
    { transaction: context.transaction, priority: input.priority },
  );
  return compose;
}

/** One compose, or undefined. */
export async function findCompose(
  handle: DatabaseHandle | TransactionHandle,
  id: number,
): Promise<Compose | undefined> {
  const row = await handle.selectFrom('composes').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toCompose(row);
}

/** One compose, held until the transaction ends. */
export async function lockCompose(handle: TransactionHandle, id: number): Promise<Compose | undefined> {
  const row = await handle
    .selectFrom('composes')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  return row === undefined ? undefined : toCompose(row);
}

export interface StateChange {
  readonly to: ComposeState;
  readonly reason: string | null;
  /** Further columns that become known with this state. */
  readonly pinned?: {
    readonly source?: string;
    readonly kojiEvent?: number | null;
    readonly arches?: string;
    readonly sigkeys?: string;
    readonly pungiComposeId?: string | null;
    readonly reusedId?: number;
    readonly fingerprint?: string;
    readonly warnings?: readonly string[];
  };
}

/**
 * Moves a compose to another state with everything that goes with it: times, the life that restarts when it
 * ends, the composes that reuse it, the announcement. Answers the compose as it is now, or undefined where it
 * was not in one of the states `from`. Source: ODCS contract 11.
 */
export async function moveCompose(
  context: StateChangeContext,
  id: number,
  from: readonly ComposeState[],
  change: StateChange,
): Promise<Compose | undefined> {
  const { now } = context;
  const { to, pinned = {} } = change;
  const isEnd = to === 'done' || to === 'failed';
  const before = await lockCompose(context.transaction, id);
  if (before === undefined || !from.includes(before.state)) return undefined;
  const isMove = before.state !== to;
  const row = await context.transaction
    .updateTable('composes')
    .set({
      state: to,
      state_reason: change.reason,
      ...(to === 'generating' && isMove ? { time_started: now } : {}),
      ...(to === 'done' ? { time_done: now } : {}),
      ...(to === 'removed' ? { time_removed: now } : {}),
      ...(isEnd
        ? {
            time_to_expire: sql<Date>`${now}::timestamptz + (time_to_expire - time_submitted)`,
            progress: null,
          }
        : {}),
      ...(pinned.source === undefined ? {} : { source: pinned.source }),
      ...(pinned.kojiEvent === undefined ? {} : { koji_event: pinned.kojiEvent }),
      ...(pinned.arches === undefined ? {} : { arches: pinned.arches }),
      ...(pinned.sigkeys === undefined ? {} : { sigkeys: pinned.sigkeys }),
      ...(pinned.pungiComposeId === undefined ? {} : { pungi_compose_id: pinned.pungiComposeId }),
      ...(pinned.reusedId === undefined ? {} : { reused_id: pinned.reusedId }),
      ...(pinned.fingerprint === undefined ? {} : { fingerprint: pinned.fingerprint }),
      ...(pinned.warnings === undefined ? {} : { warnings: JSON.stringify(pinned.warnings) }),
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const compose = toCompose(row);
  if (isMove) {
    await announce(context, compose);
    await storeComposeEvent(context, compose);
  }
  if (isEnd) {
    await carryReusers(context, compose, change);
    await endRequest(context, compose);
  }
  return compose;
}

/** The request of a rule ends with the compose that answers it. */
async function endRequest(context: StateChangeContext, ended: Compose): Promise<void> {
  if (ended.requestId === null) return;
  const { id } = ended;
  await finishComposeRequest(
    context,
    ended.requestId,
    ended.state === 'done'
      ? { outcome: 'composed', composeId: id }
      : { outcome: 'failed', composeId: id, why: ended.stateReason ?? 'The compose failed.' },
  );
}

/**
 * Composes that wait for this one to end, because they would show its directory, end with it; when somebody
 * cancelled it, which was not meant for them, they go on by themselves.
 */
async function carryReusers(context: StateChangeContext, ended: Compose, change: StateChange): Promise<void> {
  if (ended.state === 'failed' && ended.cancelRequestedBy !== null) return releaseReusers(context, ended.id);
  const waiting = await context.transaction
    .selectFrom('composes')
    .select('id')
    .where('reused_id', '=', ended.id)
    .where('state', '=', 'generating')
    .execute();
  for (const { id } of waiting) {
    await moveCompose(context, id, ['generating'], {
      to: change.to,
      reason: change.reason,
      pinned: { pungiComposeId: ended.pungiComposeId },
    });
  }
}

/** Lets the composes that wait for a compose they can no longer show be made for their own sake. */
export async function releaseReusers(context: StateChangeContext, id: number): Promise<void> {
  const rows = await context.transaction
    .updateTable('composes')
    .set({ reused_id: null, fingerprint: null, pungi_compose_id: null, state: 'wait', state_reason: null })
    .where('reused_id', '=', id)
    .where('state', '=', 'generating')
    .returning(['id', 'priority'])
    .execute();
  for (const released of rows) {
    await context.jobs.send(
      'compose.run',
      { composeId: released.id },
      { transaction: context.transaction, priority: toPriority(released.priority) },
    );
  }
}

/** Notes how far a compose is. */
export async function noteProgress(
  handle: DatabaseHandle,
  id: number,
  progress: ComposeProgress,
): Promise<void> {
  await handle
    .updateTable('composes')
    .set({ progress: JSON.stringify(progress) })
    .where('id', '=', id)
    .where('state', '=', 'generating')
    .execute();
}

/** Puts the compose as it is now in the outbox; the message id is the same however often it is asked. */
async function announce(context: StateChangeContext, compose: Compose): Promise<void> {
  const body = { event: 'state-changed', compose: composeJson(compose, context.targetDirUrl) };
  await context.transaction
    .insertInto('announcements')
    .values({
      message_id: messageIdOf(compose),
      compose_id: compose.id,
      state: compose.state,
      body: JSON.stringify(body),
      created_at: context.now,
      finished_at: null,
      last_error: null,
    })
    .onConflict((conflict) => conflict.column('message_id').doNothing())
    .execute();
  await context.jobs.send('announce', {}, { transaction: context.transaction });
}

/** A version 5 UUID of compose and state: stable however often it is announced. */
function messageIdOf(compose: Compose): string {
  const name = `odcs-reactor:${compose.timeSubmitted.toISOString()}:${compose.id}:${compose.state}`;
  const hex = createHash('sha1').update(name).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

/** A row in the words of the model. */
export function toCompose(row: Selectable<ComposesTable>): Compose {
  return {
    id: row.id,
    owner: row.owner,
    request: row.request,
    source: row.source,
    state: row.state,
    stateReason: row.state_reason,
    timeSubmitted: row.time_submitted,
    timeToExpire: row.time_to_expire,
    timeStarted: row.time_started,
    timeDone: row.time_done,
    timeRemoved: row.time_removed,
    removedBy: row.removed_by,
    kojiEvent: row.koji_event,
    arches: row.arches,
    sigkeys: row.sigkeys,
    label: row.label,
    composeType: row.compose_type,
    respinOf: row.respin_of,
    pungiComposeId: row.pungi_compose_id,
    targetDir: row.target_dir,
    reusedId: row.reused_id,
    fingerprint: row.fingerprint,
    priority: row.priority,
    series: row.series,
    requestId: row.request_id,
    cancelRequestedBy: row.cancel_requested_by,
    progress: row.progress,
    warnings: row.warnings,
  };
}

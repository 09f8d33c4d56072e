import { sql } from 'kysely';
import { lockCompose, toCompose } from '../database/composes.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import type { Compose } from '../model/compose-json.ts';
import type { AnnouncedImages } from '../model/image-changes.ts';
import type { AnnouncedAdvisories } from '../model/new-advisories.ts';
import type { StageTimes } from '../model/stage-times.ts';
import { announceCompose } from './announce-compose.ts';
import {
  composeTransitions,
  type ComposeTransition,
  type ComposeTransitionName,
} from './compose-transitions.ts';
import { endRequest } from './move-request.ts';
import { lockSeriesOfComposes } from './series-lock.ts';
import { sendComposeJob } from './send-compose-job.ts';
import { tellSeries } from './tell-series.ts';
import { storeComposeEvent } from './store-compose-event.ts';

/** What ODCS says of a compose that is being made. */
export const GENERATING = 'Compose is generating';

/** A compose that an attempt works on, as long as no later attempt has taken it. */
export interface HeldCompose {
  readonly id: number;
  readonly attempt: number;
  /** What the time of the attempt goes into; left out where nobody notes it. */
  readonly stages?: { times(options: { readonly isEnd: boolean }): StageTimes | null };
}

/** What becomes known of a compose when it moves. */
export interface ComposeChange {
  readonly reason: string | null;
  readonly pinned?: {
    readonly source?: string;
    readonly kojiEvent?: number | null;
    readonly arches?: string;
    readonly sigkeys?: string;
    readonly pungiComposeId?: string | null;
    readonly reusedId?: number;
    readonly fingerprint?: string;
    readonly warnings?: readonly string[];
    readonly newAdvisories?: AnnouncedAdvisories | null;
    readonly changedImages?: AnnouncedImages | null;
    readonly latestLink?: string | null;
    readonly inputsDigest?: string | null;
  };
}

type FencedName = {
  [N in ComposeTransitionName]: (typeof composeTransitions)[N]['isFenced'] extends true ? N : never;
}[ComposeTransitionName];
type OpenName = Exclude<ComposeTransitionName, FencedName | 'begin'>;

/**
 * Lets an attempt take a compose that waits, or that an earlier attempt left: from now on what earlier attempts write
 * changes nothing. Returns undefined where there is nothing to do: it has ended, or waits for another compose.
 */
export async function beginCompose(
  tx: UnitOfWork,
  id: number,
): Promise<(HeldCompose & { readonly compose: Compose }) | undefined> {
  const before = await lockCompose(tx.sql, id);
  if (before === undefined || before.reusedId !== null) return undefined;
  if (!isFrom(composeTransitions.begin, before)) return undefined;
  const attempt = before.attempt + 1;
  const compose = await apply(tx, before, 'begin', { reason: GENERATING }, { attempt });
  return { id, attempt, compose };
}

/**
 * Moves a compose that an attempt holds, with everything that goes with it. Returns the compose as it is now, or
 * undefined where the attempt no longer holds it: nothing changes then.
 */
export async function moveHeldCompose(
  tx: UnitOfWork,
  held: HeldCompose,
  name: FencedName,
  change: ComposeChange,
): Promise<Compose | undefined> {
  const before = await lockForMove(tx, held.id, composeTransitions[name]);
  if (before === undefined || before.attempt !== held.attempt || before.reusedId !== null) return undefined;
  return apply(tx, before, name, change, held);
}

/**
 * Moves a compose whatever attempt holds it, with everything that goes with it. Returns the compose as it is now, or
 * undefined where it is in no state from which it may go this way.
 */
export async function moveCompose(
  tx: UnitOfWork,
  id: number,
  name: OpenName,
  change: ComposeChange,
): Promise<Compose | undefined> {
  const before = await lockForMove(tx, id, composeTransitions[name]);
  return before === undefined ? undefined : apply(tx, before, name, change, before);
}

async function lockForMove(
  tx: UnitOfWork,
  id: number,
  transition: ComposeTransition,
): Promise<Compose | undefined> {
  // Series before composes, in every transaction: two of them never wait for each other.
  if (transition.request !== null) await lockSeriesOfComposes(tx.sql, id);
  const before = await lockCompose(tx.sql, id);
  return before !== undefined && isFrom(transition, before) ? before : undefined;
}

function isFrom(transition: ComposeTransition, { state }: Compose): boolean {
  return transition.from.includes(state);
}

async function apply(
  tx: UnitOfWork,
  before: Compose,
  name: ComposeTransitionName,
  { reason, pinned = {} }: ComposeChange,
  { attempt, stages }: Pick<HeldCompose, 'attempt' | 'stages'>,
): Promise<Compose> {
  const { now } = tx;
  const transition: ComposeTransition = composeTransitions[name];
  const { to } = transition;
  const isMove = before.state !== to;
  const isEnd = to === 'done' || to === 'failed';
  const times = stages?.times({ isEnd }) ?? null;
  const row = await tx.sql
    .updateTable('composes')
    .set({
      state: to,
      state_reason: reason,
      attempt,
      ...(times === null ? {} : { stages: JSON.stringify(times) }),
      ...(name === 'begin' ? { stages: null } : {}),
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
      ...(pinned.latestLink === undefined ? {} : { latest_link: pinned.latestLink }),
      ...(pinned.inputsDigest === undefined ? {} : { inputs_digest: pinned.inputsDigest }),
      ...(pinned.newAdvisories === undefined
        ? {}
        : {
            new_advisories: pinned.newAdvisories === null ? null : JSON.stringify(pinned.newAdvisories),
          }),
      ...(pinned.changedImages === undefined
        ? {}
        : {
            changed_images: pinned.changedImages === null ? null : JSON.stringify(pinned.changedImages),
          }),
    })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const compose = toCompose(row);
  if (isMove) {
    await announceCompose(tx, compose);
    await storeComposeEvent(tx, compose);
    if (isEnd) await tellSeries(tx, compose);
  }
  if (transition.sharers === 'follow') await moveSharers(tx, compose);
  if (transition.request !== null && compose.requestId !== null) {
    await endRequest(tx, { id: compose.requestId, series: compose.series ?? '' }, requestEnd(compose));
  }
  return compose;
}

function requestEnd({ id, state, stateReason, changedImages }: Compose) {
  const changesImages = changedImages !== null && changedImages.images.length > 0;
  return state === 'done'
    ? ({ outcome: 'composed', composeId: id, changesImages } as const)
    : ({ outcome: 'failed', composeId: id, why: stateReason ?? 'The compose failed.' } as const);
}

/** Composes that wait to show the directory of one that has ended end with it, or go on by themselves. */
async function moveSharers(tx: UnitOfWork, ended: Compose): Promise<void> {
  if (ended.state === 'failed' && ended.cancelRequestedBy !== null) return releaseSharers(tx, ended.id);
  const waiting = await tx.sql
    .selectFrom('composes')
    .select('id')
    .where('reused_id', '=', ended.id)
    .where('state', '=', 'generating')
    .orderBy('id')
    .execute();
  for (const { id } of waiting) {
    await moveCompose(tx, id, ended.state === 'done' ? 'followDone' : 'followFailed', {
      reason: ended.stateReason,
      pinned: { pungiComposeId: ended.pungiComposeId },
    });
  }
}

/** Lets the composes that wait for a compose they can no longer show be made for their own sake. */
export async function releaseSharers(tx: UnitOfWork, id: number): Promise<void> {
  const rows = await tx.sql
    .updateTable('composes')
    .set({ reused_id: null, fingerprint: null, pungi_compose_id: null, state: 'wait', state_reason: null })
    .where('reused_id', '=', id)
    .where('state', '=', 'generating')
    .returningAll()
    .execute();
  for (const row of rows) await sendComposeJob(tx, toCompose(row));
}

import { sql } from 'kysely';
import { lockCompose } from '../database/composes.ts';
import type { TransactionHandle } from '../database/database-handle.ts';
import { listReusable, type ReuseSearch } from '../database/reusable-composes.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import type { Compose } from '../model/compose-json.ts';
import { shareLife } from './compose-life.ts';
import {
  GENERATING,
  moveCompose,
  moveHeldCompose,
  releaseSharers,
  type ComposeChange,
  type HeldCompose,
} from './move-compose.ts';
import { pinJoined } from './join-equal.ts';
import { lockSeriesOfComposes } from './series-lock.ts';

/**
 * What an attempt has to do once it knows the fingerprint: `build` it, or nothing because a living compose shows it
 * already (`reused`, which ends this one), another is making it right now (`attached`), or a later attempt has taken
 * the compose or somebody ended it (`lost`).
 */
export type FingerprintClaim = 'build' | 'reused' | 'attached' | 'lost';

export interface ClaimInput {
  readonly held: HeldCompose;
  /** The compose as it was when the attempt began. */
  readonly compose: Compose;
  readonly fingerprint: string;
  readonly pinned: NonNullable<ComposeChange['pinned']>;
  /** What its metadata call the compose where it is built; null where that is known only then. */
  readonly pungiComposeId: string | null;
  /** Composes of this fingerprint whose directory is gone; null where none may be reused. */
  readonly lost: ReadonlySet<number> | null;
}

/**
 * Settles who makes a fingerprint, one transaction at a time: of two equal plans made at once one is built and the other
 * shows it. A compose that is shown lives as long as the one that shows it. Source: ODCS contract 12.
 */
export async function claimFingerprint(tx: UnitOfWork, input: ClaimInput): Promise<FingerprintClaim> {
  const { held, compose, fingerprint } = input;
  await lockFingerprint(tx.sql, fingerprint);
  await lockSeriesOfComposes(tx.sql, held.id);
  const { targetDir, readers, owner } = compose;
  const search = { fingerprint, targetDir, exceptId: held.id, readers, owner, now: tx.now };
  const other = input.lost === null ? undefined : await lockReusable(tx.sql, search, input.lost);
  const current = await lockCompose(tx.sql, held.id);
  // Those who wait for a compose hear of its latest attempt only.
  if (current?.attempt !== held.attempt) return 'lost';
  if (compose.fingerprint !== null && (other !== undefined || compose.fingerprint !== fingerprint)) {
    // An earlier attempt promised another content to those who wait.
    await releaseSharers(tx, held.id);
  }
  const done = other?.state === 'done' ? other : undefined;
  const to = other?.id ?? held.id;
  const { timeToExpire: until } = current;
  const joined = await pinJoined(tx, { from: held.id, to, fingerprint, pinned: input.pinned, until });
  const moved = await moveHeldCompose(tx, held, done !== undefined ? 'reuse' : 'pin', {
    reason: done !== undefined ? GENERATED : GENERATING,
    pinned: {
      ...input.pinned,
      fingerprint,
      pungiComposeId: other?.pungiComposeId ?? input.pungiComposeId,
      ...(other === undefined ? {} : { reusedId: other.id }),
    },
  });
  if (moved === undefined) return 'lost';
  if (done !== undefined) {
    const pinned = { pungiComposeId: done.pungiComposeId };
    for (const id of joined) await moveCompose(tx, id, 'followDone', { reason: GENERATED, pinned });
  }
  if (other === undefined) return 'build';
  const latest = new Date(Math.max(other.timeToExpire.getTime(), moved.timeToExpire.getTime()));
  await shareLife(tx.sql, [other.id, held.id], latest);
  return done !== undefined ? 'reused' : 'attached';
}

/** What ODCS says of a compose that is done. */
export const GENERATED = 'Compose is generated successfully';

/** Lets one transaction at a time decide about a fingerprint. */
async function lockFingerprint(kysely: TransactionHandle, fingerprint: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${fingerprint}, 0))`.execute(kysely);
}

/**
 * Returns the first compose that may be shown, held until the transaction ends: it cannot end, expire or be cancelled
 * unseen. Those whose directory is lost are passed over.
 */
async function lockReusable(
  kysely: TransactionHandle,
  search: ReuseSearch,
  lost: ReadonlySet<number>,
): Promise<Compose | undefined> {
  for (const { id } of await listReusable(kysely, search)) {
    if (lost.has(id)) continue;
    const found = await lockCompose(kysely, id);
    if (found === undefined || found.reusedId !== null || found.cancelRequestedBy !== null) continue;
    if (found.state === 'generating' && found.fingerprint === search.fingerprint) return found;
    if (found.state === 'done' && found.timeToExpire > search.now) return found;
  }
  return undefined;
}

import { sql } from 'kysely';
import { lockCompose } from '../database/composes.ts';
import type { TransactionHandle } from '../database/database-handle.ts';
import { findEqualCompose } from '../database/equal-composes.ts';
import type { UnitOfWork } from '../database/transaction.ts';
import type { Compose } from '../model/compose-json.ts';
import { shareLife } from './compose-life.ts';
import { GENERATING, moveHeldCompose, type ComposeChange, type HeldCompose } from './move-compose.ts';

/**
 * Lets a compose that an attempt holds wait for one of the same request that is being made and began after this one was
 * asked for: it will show the same directory, and is not planned. Returns the other's id, or null where there is none.
 * A compose of a series says what is new in it, so it is planned itself.
 */
export async function joinEqual(
  tx: UnitOfWork,
  { id, attempt, compose, digest }: HeldCompose & { readonly compose: Compose; readonly digest: string },
): Promise<number | null> {
  if (compose.series !== null || compose.requestId !== null) return null;
  // Of two that begin at the same instant each would wait for the other.
  await lockRequest(tx.sql, digest);
  if (await isJoined(tx.sql, id)) return null;
  const { timeSubmitted: since, readers, owner } = compose;
  const equal = await findEqualCompose(tx.sql, { id, digest, since, readers, owner, now: tx.now });
  if (equal === undefined) return null;
  // Before its own, as whoever ends a compose locks those that wait for it.
  const other = await lockCompose(tx.sql, equal.compose.id);
  const isMade = other?.state === 'generating' && other.reusedId === null && other.cancelRequestedBy === null;
  if (!isMade) return null;
  const joined = await moveHeldCompose(tx, { id, attempt }, 'pin', {
    reason: GENERATING,
    // Where its plan is known already nobody tells it later.
    pinned: { reusedId: other.id, ...(other.fingerprint === null ? {} : planOf(other)) },
  });
  return joined === undefined ? null : other.id;
}

/** Returns what the plan of a compose says that has one. */
function planOf(compose: Compose): NonNullable<ComposeChange['pinned']> {
  const { fingerprint, source, kojiEvent, arches, sigkeys, warnings, pungiComposeId } = compose;
  return {
    ...(fingerprint === null ? {} : { fingerprint }),
    source,
    kojiEvent,
    arches,
    sigkeys,
    warnings,
    pungiComposeId,
  };
}

/** What an attempt found out about a compose that others joined before. */
export interface JoinedChange {
  readonly from: number;
  /** The compose whose directory all of them will show. */
  readonly to: number;
  readonly fingerprint: string;
  readonly pinned: NonNullable<ComposeChange['pinned']>;
  readonly until: Date;
}

/**
 * Gives the composes that joined another before its plan was known what the plan says, and the life that all of them
 * share. Returns their ids.
 */
export async function pinJoined(
  tx: UnitOfWork,
  { from, to, fingerprint, pinned, until }: JoinedChange,
): Promise<readonly number[]> {
  const rows = await tx.sql
    .updateTable('composes')
    .set({
      reused_id: to,
      fingerprint,
      ...(pinned.source === undefined ? {} : { source: pinned.source }),
      ...(pinned.kojiEvent === undefined ? {} : { koji_event: pinned.kojiEvent }),
      ...(pinned.arches === undefined ? {} : { arches: pinned.arches }),
      ...(pinned.sigkeys === undefined ? {} : { sigkeys: pinned.sigkeys }),
      ...(pinned.warnings === undefined ? {} : { warnings: JSON.stringify(pinned.warnings) }),
    })
    .where('reused_id', '=', from)
    .where('state', '=', 'generating')
    .where('fingerprint', 'is', null)
    .returning(['id', 'time_to_expire'])
    .execute();
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id).toSorted((left, right) => left - right);
  const latest = Math.max(until.getTime(), ...rows.map(({ time_to_expire: at }) => at.getTime()));
  await shareLife(tx.sql, [to, from, ...ids], new Date(latest));
  return ids;
}

/** Whether others wait for a compose: then it waits for nobody. */
async function isJoined(kysely: TransactionHandle, id: number): Promise<boolean> {
  const row = await kysely
    .selectFrom('composes')
    .select('id')
    .where('reused_id', '=', id)
    .where('state', '=', 'generating')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Lets one transaction at a time decide who of an equal request waits for whom. */
async function lockRequest(kysely: TransactionHandle, digest: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`request:${digest}`}, 0))`.execute(kysely);
}

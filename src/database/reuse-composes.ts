import { sql } from 'kysely';
import type { Compose } from '../model/compose-json.ts';
import { lockCompose, toCompose } from './composes.ts';
import type { DatabaseHandle, TransactionHandle } from './transaction.ts';

/**
 * Lets one transaction at a time decide about a fingerprint, so that of two equal plans made at once one is
 * built and the other reuses it.
 */
export async function lockFingerprint(handle: TransactionHandle, fingerprint: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${fingerprint}, 0))`.execute(handle);
}

export interface ReuseSearch {
  readonly fingerprint: string;
  readonly targetDir: string;
  /** The compose that would show the other's directory. */
  readonly exceptId: number;
  readonly now: Date;
}

/** Composes of a fingerprint that another may show instead of building its own: done ones first, newest first. */
export async function listReusable(
  handle: DatabaseHandle | TransactionHandle,
  { fingerprint, targetDir, exceptId, now }: ReuseSearch,
): Promise<Compose[]> {
  const rows = await handle
    .selectFrom('composes')
    .selectAll()
    .where('fingerprint', '=', fingerprint)
    .where('target_dir', '=', targetDir)
    .where('id', '<>', exceptId)
    .where('reused_id', 'is', null)
    .where('cancel_requested_by', 'is', null)
    .where((where) =>
      where.or([
        where.and([where('state', '=', 'done'), where('time_to_expire', '>', now)]),
        where('state', '=', 'generating'),
      ]),
    )
    .orderBy(sql`case state when 'done' then 0 else 1 end`)
    .orderBy('id', 'desc')
    .execute();
  return rows.map(toCompose);
}

/**
 * The first of them, held until the transaction ends: it cannot end, expire or be cancelled unseen. Those whose
 * directory is `lost` are passed over.
 */
export async function lockReusable(
  handle: TransactionHandle,
  search: ReuseSearch,
  lost: ReadonlySet<number>,
): Promise<Compose | undefined> {
  for (const { id } of await listReusable(handle, search)) {
    if (lost.has(id)) continue;
    const held = await lockCompose(handle, id);
    if (held === undefined || held.reusedId !== null || held.cancelRequestedBy !== null) continue;
    if (held.state === 'generating' && held.fingerprint === search.fingerprint) return held;
    if (held.state === 'done' && held.timeToExpire > search.now) return held;
  }
  return undefined;
}

/** Makes two composes live until the later of their ends. Source: ODCS contract 12. */
export async function shareLife(
  handle: TransactionHandle,
  ids: readonly number[],
  until: Date,
): Promise<void> {
  await handle
    .updateTable('composes')
    .set({ time_to_expire: sql<Date>`greatest(time_to_expire, ${until}::timestamptz)` })
    .where('id', 'in', [...ids])
    .execute();
}

/** The newest done compose of a series, or undefined. */
export async function findLastOfSeries(
  handle: DatabaseHandle | TransactionHandle,
  series: string,
): Promise<Compose | undefined> {
  const row = await handle
    .selectFrom('composes')
    .selectAll()
    .where('series', '=', series)
    .where('state', '=', 'done')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : toCompose(row);
}

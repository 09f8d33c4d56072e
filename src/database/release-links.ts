import { sql } from 'kysely';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** A done compose of a release: what its links are called, and the directory they lead to. */
export interface LinkedCompose {
  readonly id: number;
  readonly reusedId: number | null;
  readonly pungiComposeId: string | null;
  readonly label: string | null;
  /** Relative to the target directory: `nightly/latest-Fedora-ELN`. */
  readonly latestLink: string;
}

/**
 * Returns the done composes of releases in a target directory that everybody may read, in the order they were asked for:
 * others are not the latest for everybody.
 */
export async function listLinkedComposes(
  kysely: DatabaseHandle | TransactionHandle,
  targetDir: string,
): Promise<readonly LinkedCompose[]> {
  const rows = await kysely
    .selectFrom('composes')
    .select(['id', 'reused_id', 'pungi_compose_id', 'label', 'latest_link'])
    .where('target_dir', '=', targetDir)
    .where('latest_link', 'is not', null)
    .where('readers', 'is', null)
    .where('state', '=', 'done')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    reusedId: row.reused_id,
    pungiComposeId: row.pungi_compose_id,
    label: row.label,
    latestLink: row.latest_link ?? '',
  }));
}

/** Returns the target directories in which a compose that links of releases show would expire before a moment. */
export async function listExpiringReleases(kysely: DatabaseHandle, before: Date): Promise<readonly string[]> {
  const rows = await kysely
    .selectFrom('composes')
    .select('target_dir')
    .distinct()
    .where('state', '=', 'done')
    .where('time_to_expire', '<', before)
    .where('latest_link', 'is not', null)
    .where('readers', 'is', null)
    .where('removed_by', 'is', null)
    .execute();
  return rows.map(({ target_dir: targetDir }) => targetDir);
}

/**
 * Makes composes live until `until` at least, with those whose directories they show, except what somebody has removed
 * meanwhile: that is looked at again once a row is ours. Returns how many there are.
 */
export async function extendReleases(
  kysely: TransactionHandle,
  ids: readonly number[],
  until: Date,
): Promise<number> {
  const rows = await kysely
    .updateTable('composes')
    .set({ time_to_expire: sql<Date>`greatest(time_to_expire, ${until}::timestamptz)` })
    .where('id', 'in', [...ids])
    .where('state', '=', 'done')
    .where('removed_by', 'is', null)
    .returning('id')
    .execute();
  return rows.length;
}

/** Returns whether a compose that is done, or one that shows its directory, has links of a release. */
export async function hasReleaseLinks(kysely: TransactionHandle, id: number): Promise<boolean> {
  const row = await kysely
    .selectFrom('composes')
    .select('id')
    .where((where) => where.or([where('id', '=', id), where('reused_id', '=', id)]))
    .where('state', '=', 'done')
    .where('latest_link', 'is not', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** Lets one transaction at a time move the links of releases in a target directory; held until it ends. */
export async function lockReleaseLinks(kysely: TransactionHandle, targetDir: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`release-links:${targetDir}`}, 0))`.execute(
    kysely,
  );
}

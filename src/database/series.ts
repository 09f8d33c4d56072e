import { sql, type Selectable } from 'kysely';
import type { Compose } from '../model/compose-json.ts';
import type { Keep } from '../model/keep.ts';
import type { Readable } from '../model/readers.ts';
import type { SeriesNotification } from '../model/series-notification.ts';
import { toCompose } from './composes.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import type { SeriesTable } from './tables.ts';
import type { UnitOfWork } from './transaction.ts';

export type SeriesRow = Selectable<SeriesTable>;

/** Returns one series, or undefined where no compose ever continued it. */
export async function findSeries(
  kysely: DatabaseHandle | TransactionHandle,
  name: string,
): Promise<SeriesRow | undefined> {
  return kysely.selectFrom('series').selectAll().where('name', '=', name).executeTakeFirst();
}

/**
 * Notes that a series is continued. It stays whose it is and open to whom it is, but a rule that continues it takes it
 * over: then nobody hears of it whom its owner had named.
 */
export async function noteSeries(
  tx: UnitOfWork,
  { name, owner, readers }: { readonly name: string } & Readable,
): Promise<void> {
  const stored = readers === null ? null : JSON.stringify(readers);
  const rule = owner.startsWith('rule:') ? owner.slice('rule:'.length) : null;
  await tx.sql
    .insertInto('series')
    .values({ name, owner, rule, keep: null, readers: stored, created_at: tx.now })
    .onConflict((conflict) => {
      const known = conflict.column('name');
      return rule === null
        ? known.doNothing()
        : known.doUpdateSet({ owner, rule, readers: stored, notify: null });
    })
    .execute();
}

/** Notes who hears of a series from now on. */
export async function noteNotify(
  tx: UnitOfWork,
  series: string,
  notify: readonly SeriesNotification[],
): Promise<void> {
  await tx.sql
    .updateTable('series')
    .set({ notify: notify.length === 0 ? null : JSON.stringify(notify) })
    .where('name', '=', series)
    .execute();
}

/** Notes which composes of its series a rule keeps. */
export async function noteKeep(
  kysely: DatabaseHandle | TransactionHandle,
  series: string,
  keep: Keep | null,
): Promise<void> {
  const text = keep === null ? null : JSON.stringify(keep);
  await kysely
    .updateTable('series')
    .set({ keep: text })
    .where('name', '=', series)
    .where(sql<boolean>`keep is distinct from ${text}::jsonb`)
    .execute();
}

/**
 * Notes which composes the rules that run keep of the series they continue, whose names are like `series`, in SQL; series
 * of rules that are gone, or that continue others now, keep nothing any more.
 */
export async function noteKeepOfRules(
  kysely: DatabaseHandle,
  keeping: readonly { readonly name: string; readonly keep: Keep; readonly series: string }[],
): Promise<void> {
  await sql`
    update series set keep = wanted.keep
    from (select series.name, given.keep from series left join
            jsonb_to_recordset(${JSON.stringify(keeping)}::jsonb) as given(name text, keep jsonb, series text)
            on given.name = series.rule and series.name like given.series
          where series.rule is not null) as wanted
    where series.name = wanted.name and series.keep is distinct from wanted.keep`.execute(kysely);
}

/** One page of series by name, beginning after one. */
export async function listSeries(
  kysely: DatabaseHandle,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly SeriesRow[]> {
  return kysely
    .selectFrom('series')
    .selectAll()
    .where('name', '>', after)
    .orderBy('name')
    .limit(limit)
    .execute();
}

/** Returns the newest done compose of each of these series that has one. */
export async function findLatest(
  kysely: DatabaseHandle,
  names: readonly string[],
): Promise<ReadonlyMap<string, Compose>> {
  const found = new Map<string, Compose>();
  if (names.length === 0) return found;
  const rows = await kysely
    .selectFrom('composes')
    .selectAll()
    .distinctOn('series')
    .where('series', 'in', [...names])
    .where('state', '<>', 'removed')
    .where('state', '=', 'done')
    .orderBy('series')
    .orderBy('id', 'desc')
    .execute();
  for (const row of rows) if (row.series !== null) found.set(row.series, toCompose(row));
  return found;
}

/** What a series shows now: its newest done compose, and the directory that one lies in. */
export interface ShownSeries {
  readonly series: string;
  readonly id: number;
  readonly reusedId: number | null;
  readonly targetDir: string;
}

/** Returns what every series shows that has a done compose. */
export async function listShownSeries(kysely: DatabaseHandle): Promise<readonly ShownSeries[]> {
  const { rows } = await sql<{ series: string; id: number; reused_id: number | null; target_dir: string }>`
    select distinct on (series) series, id, reused_id, target_dir from composes
    where series is not null and state <> 'removed' and state = 'done' order by series, id desc`.execute(
    kysely,
  );
  return rows.map((row) => ({
    series: row.series,
    id: row.id,
    reusedId: row.reused_id,
    targetDir: row.target_dir,
  }));
}

/**
 * Returns the compose that a series showed at a moment, whatever became of it: of those that were done by then the one
 * that was asked for last. Undefined where none was done yet.
 */
export async function findShownAt(
  kysely: DatabaseHandle,
  series: string,
  at: Date,
): Promise<Compose | undefined> {
  const row = await kysely
    .selectFrom('composes')
    .selectAll()
    .where('series', '=', series)
    .where('time_done', '<=', at)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : toCompose(row);
}

/** Returns composes of a series that were ever done, newest first; `before` is an id. */
export async function listDoneOfSeries(
  kysely: DatabaseHandle,
  series: string,
  { before, limit }: { readonly before: number | null; readonly limit: number },
): Promise<readonly Compose[]> {
  const query = kysely
    .selectFrom('composes')
    .selectAll()
    .where('series', '=', series)
    .where('time_done', 'is not', null);
  const rows = await (before === null ? query : query.where('id', '<', before))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toCompose);
}

/** A compose of a series that is still there. */
export interface LivingCompose {
  readonly id: number;
  readonly reusedId: number | null;
  readonly targetDir: string;
  readonly doneAt: Date;
  readonly expiresAt: Date;
  readonly removedBy: string | null;
}

/** Returns the done composes of a series that are still there, newest first. */
export async function listLivingOfSeries(
  kysely: DatabaseHandle | TransactionHandle,
  series: string,
): Promise<readonly LivingCompose[]> {
  const rows = await kysely
    .selectFrom('composes')
    .select(['id', 'reused_id', 'target_dir', 'time_done', 'time_to_expire', 'removed_by'])
    .where('series', '=', series)
    .where('state', '<>', 'removed')
    .where('state', '=', 'done')
    .orderBy('id', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    reusedId: row.reused_id,
    targetDir: row.target_dir,
    doneAt: row.time_done ?? row.time_to_expire,
    expiresAt: row.time_to_expire,
    removedBy: row.removed_by,
  }));
}

/** Returns the series that keep composes and have one that would expire before a moment. */
export async function listKeepingSeries(
  kysely: DatabaseHandle,
  before: Date,
): Promise<readonly { readonly name: string; readonly keep: Keep }[]> {
  const rows = await kysely
    .selectFrom('series')
    .select(['name', 'keep'])
    .where('keep', 'is not', null)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('composes')
          .select('composes.id')
          .whereRef('composes.series', '=', 'series.name')
          .where('composes.state', '<>', 'removed')
          .where('composes.state', '=', 'done')
          .where('composes.time_to_expire', '<', before),
      ),
    )
    .orderBy('name')
    .execute();
  return rows.flatMap(({ name, keep }) => (keep === null ? [] : [{ name, keep }]));
}

/** Returns which rule made each of these requests, and the events that led to it. */
export async function findAskedBy(
  kysely: DatabaseHandle,
  requestIds: readonly number[],
): Promise<ReadonlyMap<number, { readonly rule: string; readonly causes: readonly number[] }>> {
  if (requestIds.length === 0) return new Map();
  const rows = await kysely
    .selectFrom('compose_requests')
    .select(['id', 'rule', 'causes'])
    .where('id', 'in', [...requestIds])
    .execute();
  return new Map(rows.map(({ id, rule, causes }) => [id, { rule, causes }]));
}

/** Returns the request of a series that waits or runs, the running one first; undefined where there is none. */
export async function findOpenRequest(
  kysely: DatabaseHandle,
  series: string,
): Promise<{ readonly state: 'pending' | 'running'; readonly notBefore: Date | null } | undefined> {
  const row = await kysely
    .selectFrom('compose_requests')
    .select(['state', 'not_before'])
    .where('series', '=', series)
    .where('state', 'in', ['pending', 'running'])
    .orderBy('state', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { state: row.state === 'running' ? 'running' : 'pending', notBefore: row.not_before };
}

/** Returns which living composes show each of these directories, themselves included. */
export async function listShowing(
  kysely: DatabaseHandle,
  directoryIds: readonly number[],
): Promise<readonly { readonly id: number; readonly shows: number }[]> {
  if (directoryIds.length === 0) return [];
  const rows = await kysely
    .selectFrom('composes')
    .select(['id', 'reused_id'])
    .where((where) =>
      where.or([where('id', 'in', [...directoryIds]), where('reused_id', 'in', [...directoryIds])]),
    )
    .where('state', 'in', ['wait', 'generating', 'done'])
    .execute();
  return rows.map(({ id, reused_id }) => ({ id, shows: reused_id ?? id }));
}

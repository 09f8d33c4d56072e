import { sql } from 'kysely';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** A group of a rule and what came of its newest window. */
export interface RuleGroup {
  readonly groupKey: string;
  /** When it was found that what it is about is gone; null while it lives. */
  readonly goneAt: Date | null;
  readonly lastWindow: {
    /** Null while it is open or undecided. */
    readonly outcome: string | null;
    readonly decidedAt: Date | null;
  } | null;
}

interface GroupRow {
  group_key: string;
  gone_at: Date | null;
  window_id: number | null;
  outcome: string | null;
  decided_at: Date | null;
}

/** The group of a rule that groups by nothing. */
const ONLY_GROUP = '{}';

/**
 * Returns the groups of a rule that live and had an event since a moment, those that no sweep looked at for the longest
 * time first.
 */
export async function listLivingGroups(
  kysely: DatabaseHandle | TransactionHandle,
  rule: string,
  { since, limit }: { readonly since: Date; readonly limit: number },
): Promise<readonly RuleGroup[]> {
  const { rows } = await sql<GroupRow>`
    select living.group_key, living.gone_at, last.id as window_id, last.outcome, last.decided_at
    from rule_groups as living left join lateral (
      select id, outcome, decided_at from settle_windows as one
      where one.rule = living.rule and one.group_key = living.group_key order by id desc limit 1) as last on true
    where living.rule = ${rule} and living.gone_at is null and living.seen_at >= ${since}
    order by living.looked_at nulls first, living.group_key limit ${limit}`.execute(kysely);
  return rows.map(toGroup);
}

/** Returns the only group of a rule that groups by nothing, whether or not it is gone. */
export async function findOnlyGroup(kysely: DatabaseHandle, rule: string): Promise<RuleGroup> {
  const { rows } = await sql<GroupRow>`
    select ${ONLY_GROUP} as group_key, known.gone_at, last.id as window_id, last.outcome, last.decided_at
    from (select 1) as one
      left join rule_groups as known on known.rule = ${rule} and known.group_key = ${ONLY_GROUP}
      left join lateral (
        select id, outcome, decided_at from settle_windows
        where rule = ${rule} and group_key = ${ONLY_GROUP} order by id desc limit 1) as last on true`.execute(
    kysely,
  );
  const [row] = rows;
  return row === undefined ? { groupKey: ONLY_GROUP, goneAt: null, lastWindow: null } : toGroup(row);
}

function toGroup(row: GroupRow): RuleGroup {
  return {
    groupKey: row.group_key,
    goneAt: row.gone_at,
    lastWindow: row.window_id === null ? null : { outcome: row.outcome, decidedAt: row.decided_at },
  };
}

/** Notes that a window of a group was opened by an event; the group lives again where it was gone. */
export async function noteGroupSeen(
  transaction: TransactionHandle,
  group: { readonly rule: string; readonly groupKey: string },
  at: Date,
): Promise<void> {
  await transaction
    .insertInto('rule_groups')
    .values({ rule: group.rule, group_key: group.groupKey, seen_at: at })
    .onConflict((conflict) =>
      conflict.columns(['rule', 'group_key']).doUpdateSet((row) => ({
        seen_at: row.fn<Date>('greatest', ['rule_groups.seen_at', 'excluded.seen_at']),
        gone_at: null,
      })),
    )
    .execute();
}

/** What a sweep found of a group. */
export interface GroupLook {
  readonly groupKey: string;
  readonly isGone: boolean;
}

/** Notes that a sweep looked at groups of a rule, and which of them are gone. */
export async function noteGroupsLookedAt(
  transaction: TransactionHandle,
  rule: string,
  looks: readonly GroupLook[],
  now: Date,
): Promise<void> {
  if (looks.length === 0) return;
  const rows = JSON.stringify(
    looks.map(({ groupKey, isGone }) => ({ group_key: groupKey, is_gone: isGone })),
  );
  await sql`
    insert into rule_groups (rule, group_key, seen_at, looked_at, gone_at)
    select ${rule}, group_key, ${now}::timestamptz, ${now}::timestamptz,
      case when is_gone then ${now}::timestamptz end
    from jsonb_to_recordset(${rows}::jsonb) as look (group_key text, is_gone boolean)
    on conflict (rule, group_key) do update set looked_at = excluded.looked_at,
      gone_at = case when excluded.gone_at is null then null else coalesce(rule_groups.gone_at, excluded.gone_at) end`.execute(
    transaction,
  );
}

/** Notes that what a group is about is gone: it ends. */
export async function endGroup(
  transaction: TransactionHandle,
  group: { readonly rule: string; readonly groupKey: string },
  now: Date,
): Promise<void> {
  await transaction
    .insertInto('rule_groups')
    .values({ rule: group.rule, group_key: group.groupKey, seen_at: now, gone_at: now })
    .onConflict((conflict) =>
      conflict
        .columns(['rule', 'group_key'])
        .doUpdateSet((row) => ({ gone_at: row.fn.coalesce('rule_groups.gone_at', 'excluded.gone_at') })),
    )
    .execute();
}

/** Returns rules that group by nothing whose tag is gone, and since when. */
export async function rulesWithoutTag(
  kysely: DatabaseHandle,
): Promise<readonly { readonly rule: string; readonly goneAt: Date }[]> {
  const rows = await kysely
    .selectFrom('rule_groups')
    .select(['rule', 'gone_at'])
    .where('group_key', '=', ONLY_GROUP)
    .where('gone_at', 'is not', null)
    .orderBy('rule')
    .limit(100)
    .execute();
  return rows.flatMap(({ rule, gone_at }) => (gone_at === null ? [] : [{ rule, goneAt: gone_at }]));
}

/** Forgets groups without an event since a moment, at most `limit` at once. Returns how many. */
export async function pruneGroups(
  kysely: DatabaseHandle,
  { before, limit }: { readonly before: Date; readonly limit: number },
): Promise<number> {
  const result = await sql`
    delete from rule_groups where (rule, group_key) in (
      select rule, group_key from rule_groups where seen_at < ${before} order by seen_at limit ${limit})`.execute(
    kysely,
  );
  return Number(result.numAffectedRows ?? 0);
}

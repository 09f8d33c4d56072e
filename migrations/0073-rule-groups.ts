import { sql, type Kysely } from 'kysely';

/** The groups of rules as something that lives and ends, and what the plan of a request saw. */
export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of [
    `create table rule_groups (
      rule text not null,
      group_key text not null,
      seen_at timestamptz not null,
      looked_at timestamptz,
      gone_at timestamptz,
      primary key (rule, group_key)
    )`,
    `create index rule_groups_living on rule_groups (rule, looked_at) where gone_at is null`,
    `create index rule_groups_seen on rule_groups (seen_at)`,
    `insert into rule_groups (rule, group_key, seen_at)
     select rule, group_key, max(opened_at) from settle_windows
     where opened_at > now() - interval '30 days' group by rule, group_key`,
    `alter table compose_requests add column koji_event bigint`,
    `alter table compose_requests add column took_fallback boolean not null default false`,
    `alter table compose_requests add column is_swept boolean not null default false`,
  ]) {
    await sql.raw(statement).execute(db);
  }
}

import { sql, type Kysely } from 'kysely';

/** What rules need beside events and windows: who matched when, one running compose a series, pauses, clocks. */
export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of [
    `alter table events add column matched_at timestamptz`,
    `create index events_unmatched on events (received_at) where matched_at is null and kind is not null`,
    `alter table settle_windows add column settle_ms bigint not null default 0`,
    `alter table settle_windows add column max_wait_ms bigint not null default 0`,
    `alter table settle_windows add column decided_at timestamptz`,
    `create index settle_windows_undecided on settle_windows (id) where closed_at is not null and decided_at is null`,
    `create index settle_windows_group on settle_windows (rule, group_key, id)`,
    `create unique index decisions_event_rule on decisions (event_id, rule) where event_id is not null`,
    `create unique index decisions_of_window on decisions (window_id) where event_id is null and window_id is not null`,
    `alter table compose_requests add column when_busy text not null default 'latest'`,
    `alter table compose_requests add column superseded_by bigint references compose_requests (id)`,
    `create unique index compose_requests_running on compose_requests (series) where state = 'running'`,
    `create unique index compose_requests_pending on compose_requests (series) where state = 'pending' and when_busy <> 'queue'`,
    `create index compose_requests_rule on compose_requests (rule, created_at)`,
    `create table rule_pauses (
      rule text primary key,
      paused_at timestamptz not null,
      paused_by text not null,
      reason text not null
    )`,
    `create table rule_clocks (
      rule text not null,
      clock text not null,
      last_at timestamptz not null,
      primary key (rule, clock)
    )`,
  ]) {
    await sql.raw(statement).execute(db);
  }
}

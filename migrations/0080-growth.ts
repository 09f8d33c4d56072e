import { sql, type Kysely } from 'kysely';

/** Indexes are built while others work: outside a transaction, where the migrator runs this one so. */
export const isConcurrent = true;

const indexes: Readonly<Record<string, string>> = {
  composes_request: `composes (request_id) where request_id is not null and state <> 'removed'`,
  composes_kept: `composes (series, id) where state <> 'removed'`,
  composes_pungi_compose: `composes (pungi_compose_id)`,
  composes_owner: `composes (owner, id)`,
  composes_source: `composes (source, id)`,
  composes_source_type: `composes (source_type, id)`,
  composes_compose_type: `composes (compose_type, id)`,
  composes_label: `composes (label, id) where label is not null`,
  composes_koji_event: `composes (koji_event, id)`,
  composes_time_to_expire: `composes (time_to_expire, id)`,
  composes_time_submitted: `composes (time_submitted, id)`,
  composes_time_done: `composes (time_done, id)`,
  composes_time_removed: `composes (time_removed, id)`,
  // The order of the states as ODCS numbers them; the same words stand in src/database/list-composes.ts.
  composes_state: `composes ((case state when 'wait' then 0 when 'generating' then 1 when 'done' then 2 when 'removed' then 3 when 'failed' then 4 end), id)`,
  compose_requests_open: `compose_requests (series, id) where state in ('pending', 'running')`,
  compose_requests_read: `compose_requests (series, read_at)`,
  compose_requests_started: `compose_requests (series, started_at)`,
  compose_requests_finished: `compose_requests (finished_at, id)`,
  compose_requests_superseded: `compose_requests (superseded_by) where superseded_by is not null`,
  settle_windows_not_ready: `settle_windows (opened_at) where outcome = 'not_ready'`,
  settle_windows_decided: `settle_windows (decided_at, id)`,
  decisions_outcome: `decisions (outcome, id)`,
  decisions_at: `decisions (at, id) where event_id is null`,
  decisions_rule_windows: `decisions (rule, id) where event_id is null`,
  events_poison: `events (id) where kind is null`,
  events_topic: `events (topic, id)`,
  events_instance: `events (instance, id)`,
  announcements_finished: `announcements (finished_at) where finished_at is not null`,
  manifests_created: `manifests (created_at)`,
};

/** Indexes for what years leave behind: every question of a route or loop finds its rows by one. Harmless. */
export async function up(db: Kysely<never>): Promise<void> {
  const how = db.isTransaction ? '' : 'concurrently';
  // What an interrupted attempt left looks like an index and is none.
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_index join pg_class on pg_class.oid = indexrelid where not indisvalid`.execute(
    db,
  );
  for (const { name } of rows) {
    if (Object.hasOwn(indexes, name)) await sql`drop index ${sql.ref(name)}`.execute(db);
  }
  for (const [name, columns] of Object.entries(indexes)) {
    await sql.raw(`create index ${how} if not exists ${name} on ${columns}`).execute(db);
  }
}

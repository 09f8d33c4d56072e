import { sql, type Kysely } from 'kysely';

/** An earlier version reads and writes the list of events in the window. */
export const isBreaking = true;

/**
 * The events of a window as rows of their own, which are only added: the list in the window was written anew for every
 * event. Which set of rules judged an event stands with the event, instead of a row for each rule that said no.
 */
export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of [
    `create table window_causes (
      window_id bigint not null references settle_windows (id) on delete cascade,
      event_id bigint not null,
      primary key (window_id, event_id)
    )`,
    `create index window_causes_event on window_causes (event_id)`,
    `insert into window_causes (window_id, event_id)
     select distinct id, cause::bigint from settle_windows, jsonb_array_elements_text(causes) as cause`,
    `alter table settle_windows drop column causes`,
    `alter table events add column rule_set text`,
    `create index decisions_refusals on decisions (at) where outcome = 'not_matched'`,
  ]) {
    await sql.raw(statement).execute(db);
  }
}

import { sql, type Kysely } from 'kysely';

/** An earlier version marks what it matched by the time alone, and its events would be matched again. */
export const isBreaking = true;

/** Where an event is on its way: to be completed, to be matched, done. It was guessed from its age before. */
export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of [
    `alter table events add column stage text not null default 'done'`,
    `alter table events alter column stage set default 'match'`,
    `update events set stage = 'match' where matched_at is null and kind is not null`,
    `create index events_unfinished on events (stage, received_at) where stage <> 'done'`,
    `drop index events_unmatched`,
  ]) {
    await sql.raw(statement).execute(db);
  }
}

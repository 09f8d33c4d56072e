import { sql, type Kysely } from 'kysely';

/** The outbox also takes what rules tell: of no compose, under a topic of its own, for one bus. */
export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of [
    `alter table announcements alter column compose_id drop not null`,
    `alter table announcements add column topic text not null default 'odcs.compose.state-changed'`,
    `alter table announcements add column only_bus text`,
  ]) {
    await sql.raw(statement).execute(db);
  }
}

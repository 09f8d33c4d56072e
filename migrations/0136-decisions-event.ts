import { sql, type Kysely } from 'kysely';

/**
 * Drops an index whose question `decisions_event_rule` answers as well. PostgreSQL took it for what has no event, and read
 * every decision on a window instead of those since a moment.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await sql.raw(`drop index decisions_event`).execute(db);
}

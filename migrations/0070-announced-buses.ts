import { sql, type Kysely } from 'kysely';

/** The buses that announcers have, so that none takes an announcement for finished that another has to publish. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create table announced_buses (bus text primary key, last_seen timestamptz not null)`.execute(db);
}

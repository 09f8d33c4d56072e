import { sql, type Kysely } from 'kysely';

/** How far the clock of a process is ahead of the database's, for those who look after it. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`alter table processes add column skew_ms integer not null default 0`.execute(db);
}

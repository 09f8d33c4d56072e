import { sql, type Kysely } from 'kysely';

/** What an image asks for, where the service works out what it holds. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`alter table images add column asks jsonb`.execute(db);
}

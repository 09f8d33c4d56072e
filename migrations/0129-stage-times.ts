import { sql, type Kysely } from 'kysely';

/** When each stage of the making of a compose began and ended, for people. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`alter table composes add column stages jsonb`.execute(db);
}

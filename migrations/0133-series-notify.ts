import { sql, type Kysely } from 'kysely';

/** Who hears how the composes of a person's series end. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`alter table series add column notify jsonb`.execute(db);
}

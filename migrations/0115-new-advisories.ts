import { sql, type Kysely } from 'kysely';

/** What advisories a compose has that the one before it in its series had not. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql.raw(`alter table composes add column new_advisories jsonb`).execute(db);
}

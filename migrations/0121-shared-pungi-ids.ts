import { sql, type Kysely } from 'kysely';

/**
 * What metadata call a compose may be what another is called: a tracking service counts for itself, and knows nothing of
 * ids that were given before it was asked. They are found by `composes_pungi_compose`.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await sql.raw(`drop index composes_pungi_id`).execute(db);
}

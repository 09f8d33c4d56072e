import { sql, type Kysely } from 'kysely';

/** How far the changes of each system have been looked through. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create table reconcile_cursors (
    source text primary key,
    position jsonb not null,
    updated_at timestamptz not null
  )`.execute(db);
}

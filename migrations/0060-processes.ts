import { sql, type Kysely } from 'kysely';

/** The processes of the service and what each can make. Harmless to the version before. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create table processes (
    id uuid primary key,
    host text not null,
    version text not null,
    roles jsonb not null,
    source_types jsonb not null,
    results jsonb not null,
    started_at timestamptz not null,
    last_seen timestamptz not null
  )`.execute(db);
}

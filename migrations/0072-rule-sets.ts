import { sql, type Kysely } from 'kysely';

/** The sets of rules that run or ran, with their files, so that every process knows them. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create table rule_sets (
    version text primary key,
    documents jsonb not null,
    problems jsonb not null default '[]',
    first_at timestamptz not null,
    running_at timestamptz not null
  )`.execute(db);
}

import { sql, type Kysely } from 'kysely';

/** Earlier versions know no readers and would show private composes to everybody. */
export const isBreaking = true;

/**
 * Who may read composes, series and rules that are not open to all, where null stands for everybody; and which builds
 * are under embargo.
 */
export async function up(db: Kysely<never>): Promise<void> {
  const statements = [
    `alter table composes add column readers jsonb`,
    `alter table series add column readers jsonb`,
    `create table private_rules (
      name text primary key,
      readers jsonb not null
    )`,
    `create table embargoed_builds (
      nvr text not null,
      tag text not null,
      since timestamptz not null,
      primary key (nvr, tag)
    )`,
    `create index composes_private on composes (id) where readers is not null`,
    // Counts of pages read it alone, as they read the primary key before readers came.
    `create index composes_public on composes (id) where readers is null`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

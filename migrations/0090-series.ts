import { sql, type Kysely } from 'kysely';

/** The lines of composes: whose they are, which rule continues them, and which of their composes are kept. */
export async function up(db: Kysely<never>): Promise<void> {
  const statements = [
    `create table series (
      name text primary key,
      owner text not null,
      rule text,
      keep jsonb,
      created_at timestamptz not null
    )`,
    `create index series_rule on series (rule) where rule is not null`,
    `create index series_keeping on series (name) where keep is not null`,
    `insert into series (name, owner, rule, created_at)
      select distinct on (series) series, owner, substring(owner from '^rule:(.*)$'), time_submitted
      from composes where series is not null order by series, id desc`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

import { sql, type Kysely } from 'kysely';

/** An earlier version would write without naming its attempt, and read announcements that have no body. */
export const isBreaking = true;

/** Attempts that fence who works on something, when inputs were read, and announcements as what they are about. */
export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of [
    `alter table composes add column attempt integer not null default 0`,
    `alter table compose_requests add column attempt integer not null default 0`,
    `alter table compose_requests add column read_at timestamptz`,
    `alter table announcements add column compose jsonb`,
    `alter table announcements alter column body drop not null`,
  ]) {
    await sql.raw(statement).execute(db);
  }
}

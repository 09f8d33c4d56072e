import { sql, type Kysely } from 'kysely';

/** What a compose was asked for, so that those who ask for the same at once are planned once. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql.raw(`alter table composes add column request_digest text`).execute(db);
  await sql
    .raw(
      `create index composes_equal_requests on composes (request_digest, time_started)
       where request_digest is not null and state in ('generating', 'done')`,
    )
    .execute(db);
}

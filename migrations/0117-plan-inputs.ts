import { sql, type Kysely } from 'kysely';

/** What a compose was planned from, so that the same is not planned again. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql.raw(`alter table composes add column inputs_digest text`).execute(db);
  await sql
    .raw(
      `create index composes_inputs on composes (inputs_digest, id) where inputs_digest is not null and state = 'done'`,
    )
    .execute(db);
}

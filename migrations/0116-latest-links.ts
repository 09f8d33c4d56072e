import { sql, type Kysely } from 'kysely';

/** The link to the latest compose of a release that a compose competes for, relative to its target directory. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql.raw(`alter table composes add column latest_link text`).execute(db);
  await sql
    .raw(
      `create index composes_latest_link on composes (target_dir, id) where latest_link is not null and state = 'done'`,
    )
    .execute(db);
}

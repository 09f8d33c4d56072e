import { sql, type Kysely } from 'kysely';

/** Images that are built from the composes of series, with the packages they hold; and which of them a compose changes. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create table images (
    name text primary key,
    series text not null,
    owner text not null,
    reference text,
    packages jsonb not null,
    updated_at timestamptz not null
  )`.execute(db);
  await sql`create index images_series on images (series, name)`.execute(db);
  await sql`alter table composes add column changed_images jsonb`.execute(db);
}

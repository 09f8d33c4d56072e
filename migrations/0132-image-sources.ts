import { sql, type Kysely } from 'kysely';

/** Where an image's packages are read from, as HTTP told of it last, and why the last look failed. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`alter table images
    add column source jsonb,
    add column validators jsonb,
    add column looked_at timestamptz,
    add column problem jsonb`.execute(db);
  await sql`create index images_looked_at on images (looked_at nulls first) where source is not null`.execute(
    db,
  );
}

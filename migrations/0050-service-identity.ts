import { sql, type Kysely } from 'kysely';

/** The id by which this service knows the target directories that are its own; made at its first start. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql
    .raw(
      `create table service_identity (
        is_only boolean primary key default true check (is_only),
        id text not null,
        made_at timestamptz not null
      )`,
    )
    .execute(db);
}

import { sql, type Kysely } from 'kysely';

/** The trace that an event, a request, a compose or an announcement belongs to, as the header `traceparent`. */
export async function up(db: Kysely<never>): Promise<void> {
  for (const table of ['events', 'compose_requests', 'composes', 'announcements']) {
    await sql.raw(`alter table ${table} add column trace text`).execute(db);
  }
}

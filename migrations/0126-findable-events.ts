import { sql, type Kysely } from 'kysely';

/** Indexes are built while others work: outside a transaction, where the migrator runs this one so. */
export const isConcurrent = true;

const said = [
  '$.alias',
  '$.cves[*]',
  '$.builds[*].nvr',
  '$.builds[*].package',
  '$.id',
  '$.name',
  '$.nsvc',
  '$.subject',
  '$.packages[*]',
  '$.repo',
]
  .map((path) => `jsonb_path_query_array(event, '${path}')`)
  .join(' || ');

/** The same conditions and the same list of subjects stand in src/database/find-events.ts. */
const indexes: Readonly<Record<string, string>> = {
  events_package: `events ((event ->> 'package'), id) where (event ->> 'package') is not null`,
  events_tag: `events ((event ->> 'tag'), id) where (event ->> 'tag') is not null`,
  events_subjects: `events using gin ((${said}) jsonb_path_ops) where kind in ('bodhi.update', 'errata.status', 'errata.builds', 'errata.signing', 'mbs.module', 'gate', 'repo.changed')`,
};

/** Indexes by which events are found that tell of a package, a tag, an update, a module or an advisory. Harmless. */
export async function up(db: Kysely<never>): Promise<void> {
  const how = db.isTransaction ? '' : 'concurrently';
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_index join pg_class on pg_class.oid = indexrelid where not indisvalid`.execute(
    db,
  );
  for (const { name } of rows) {
    if (Object.hasOwn(indexes, name)) await sql`drop index ${sql.ref(name)}`.execute(db);
  }
  for (const [name, columns] of Object.entries(indexes)) {
    await sql.raw(`create index ${how} if not exists ${name} on ${columns}`).execute(db);
  }
}

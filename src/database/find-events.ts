import { sql, type RawBuilder, type SqlBool } from 'kysely';
import { isBuildWanted, type FindQuery } from '../model/find-query.ts';
import type { DomainEvent } from '../model/event.ts';
import type { DatabaseHandle } from './database-handle.ts';
import { toStoredEvents, inputEventColumns, type StoredEvent } from './input-events.ts';

/** What an event tells of beside a package and a tag. The index of migration 0126 is of these very words. */
const subjects = sql`(jsonb_path_query_array(event, '$.alias') || jsonb_path_query_array(event, '$.cves[*]')
  || jsonb_path_query_array(event, '$.builds[*].nvr') || jsonb_path_query_array(event, '$.builds[*].package')
  || jsonb_path_query_array(event, '$.id') || jsonb_path_query_array(event, '$.name')
  || jsonb_path_query_array(event, '$.nsvc') || jsonb_path_query_array(event, '$.subject')
  || jsonb_path_query_array(event, '$.packages[*]') || jsonb_path_query_array(event, '$.repo'))`;
const isOfSubjects = sql<SqlBool>`kind in ('bodhi.update', 'errata.status', 'errata.builds', 'errata.signing',
  'mbs.module', 'gate', 'repo.changed')`;

/** Returns the newest events that tell of what is looked for, newest first; each question has an index of its own. */
export async function findEventsAbout(
  kysely: DatabaseHandle,
  query: FindQuery,
  limit: number,
): Promise<readonly StoredEvent[]> {
  const { word, kind, packages, module } = query;
  const conditions = [
    ofSubject(word),
    ...packages.map(ofSubject),
    ...(module === null ? [] : [ofSubject(module.name)]),
    ...(kind === 'number' ? [ofSubject(Number(word))] : []),
    ...(kind === 'name' || kind === 'build'
      ? [sql<SqlBool>`event ->> 'package' = ${word}`, sql<SqlBool>`event ->> 'tag' = ${word}`]
      : []),
    ...packages.map((name) => ofBuild(name, word)),
  ];
  const found = new Map<number, StoredEvent>();
  for (const condition of conditions) {
    const rows = await kysely
      .selectFrom('events')
      .select(inputEventColumns)
      .where(condition)
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    for (const event of toStoredEvents(rows)) {
      if (isAbout(query, event.input.event)) found.set(event.id, event);
    }
  }
  return [...found.values()].toSorted((left, right) => right.id - left.id).slice(0, limit);
}

function ofSubject(subject: string | number): RawBuilder<SqlBool> {
  return sql<SqlBool>`${isOfSubjects} and ${subjects} @> ${JSON.stringify([subject])}::jsonb`;
}

function ofBuild(name: string, nvr: string): RawBuilder<SqlBool> {
  const bare = nvr.slice(nvr.indexOf(':') + 1);
  return sql<SqlBool>`event ->> 'package' = ${name}
    and starts_with(substring(event ->> 'nvr' from '[^:]*$'), ${bare})`;
}

/** Whether an event that names the package or module tells of this build or stream of it. */
function isAbout(query: FindQuery, event: DomainEvent): boolean {
  const { word, module } = query;
  if (module !== null && event.kind === 'mbs.module' && event.name === module.name) {
    return event.stream === module.stream && (event.nsvc ?? '').startsWith(word);
  }
  if (query.packages.length === 0) return true;
  const named = namesOf(event);
  return named.words.includes(word) || named.builds.some((nvr) => isBuildWanted(query, nvr));
}

/** The words and builds that an event names. */
function namesOf(event: DomainEvent): {
  readonly words: readonly unknown[];
  readonly builds: readonly string[];
} {
  const builds = 'builds' in event ? (event.builds ?? []).map(({ nvr }) => nvr) : [];
  const own = 'nvr' in event && event.nvr !== undefined ? [event.nvr] : [];
  const subject = 'subject' in event && event.subject !== undefined ? [event.subject] : [];
  return { words: Object.values(event), builds: [...builds, ...own, ...subject] };
}

/** When the newest event of each of some kinds was received; kinds of which none is kept are left out. */
export async function findLastReceived(
  kysely: DatabaseHandle,
  kinds: readonly string[],
): Promise<ReadonlyMap<string, Date>> {
  const found = new Map<string, Date>();
  for (const kind of kinds) {
    const row = await kysely
      .selectFrom('events')
      .select('received_at')
      .where('kind', '=', kind)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined) found.set(kind, row.received_at);
  }
  return found;
}

import { sql } from 'kysely';
import type { ComposeResult, SourceType } from '../model/compose.ts';
import { knownOffers, type Offers } from '../model/offers.ts';
import type { DatabaseHandle } from './database-handle.ts';

/** A process of the service as it tells of itself. */
export interface ServiceProcess {
  /** UUID, new at each start. */
  readonly id: string;
  readonly host: string;
  readonly version: string;
  readonly roles: readonly string[];
  /** What it can make; nothing where it has no composer. */
  readonly offers: Offers;
}

/** A process that was not seen for so long does not run; the clock is the database's. */
const ALIVE_SECONDS = 60;
const KEPT_HOURS = 24;

/** Records that a process runs, now, and forgets those not seen for a day. */
export async function recordProcess(handle: DatabaseHandle, process: ServiceProcess): Promise<void> {
  const { id, host, version, roles, offers } = process;
  await sql`
    insert into processes (id, host, version, roles, source_types, results, started_at, last_seen)
    values (${id}, ${host}, ${version}, ${JSON.stringify(roles)}::jsonb,
      ${JSON.stringify(offers.sourceTypes)}::jsonb, ${JSON.stringify(offers.results)}::jsonb, now(), now())
    on conflict (id) do update set last_seen = now()`.execute(handle);
  await sql`delete from processes where last_seen < now() - make_interval(hours => ${KEPT_HOURS})`.execute(
    handle,
  );
}

/**
 * Finds what the composers that run can make, taken together; where none runs, what those seen last could; where
 * none was ever seen, what this version can make at all.
 */
export async function findOffers(handle: DatabaseHandle): Promise<Offers> {
  const composers = await handle
    .selectFrom('processes')
    .select([
      'source_types',
      'results',
      sql<boolean>`last_seen >= now() - make_interval(secs => ${ALIVE_SECONDS})`.as('is_alive'),
    ])
    .where(sql<boolean>`roles @> '["composer"]'::jsonb`)
    .execute();
  const alive = composers.filter(({ is_alive: isAlive }) => isAlive);
  const asked = alive.length > 0 ? alive : composers;
  if (asked.length === 0) return knownOffers;
  return {
    sourceTypes: unique<SourceType>(asked.flatMap((composer) => composer.source_types)),
    results: unique<ComposeResult>(asked.flatMap((composer) => composer.results)),
  };
}

function unique<T extends string>(words: readonly T[]): readonly T[] {
  return [...new Set(words)].sort();
}

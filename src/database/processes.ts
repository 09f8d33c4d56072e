import type { SourceType } from '../source-types.ts';
import { sql } from 'kysely';
import type { ComposeResult } from '../model/compose.ts';
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
  /** How far its machine's clock is ahead of the database's, in milliseconds. */
  readonly skewMs: number;
}

/** A process as the others see it. */
export interface SeenProcess {
  readonly id: string;
  readonly host: string;
  readonly version: string;
  readonly roles: readonly string[];
  readonly startedAt: Date;
  readonly lastSeen: Date;
  readonly skewMs: number;
  /** Whether it was seen within the last minute. */
  readonly isAlive: boolean;
}

/** A process that was not seen for so long does not run; the clock is the database's. */
const ALIVE_SECONDS = 60;
const KEPT_HOURS = 24;
const MOST_LISTED = 200;

/** Records that a process runs, now, and forgets those not seen for a day. */
export async function recordProcess(kysely: DatabaseHandle, process: ServiceProcess): Promise<void> {
  const { id, host, version, roles, offers, skewMs } = process;
  await sql`
    insert into processes (id, host, version, roles, source_types, results, started_at, last_seen, skew_ms)
    values (${id}, ${host}, ${version}, ${JSON.stringify(roles)}::jsonb,
      ${JSON.stringify(offers.sourceTypes)}::jsonb, ${JSON.stringify(offers.results)}::jsonb, now(), now(),
      ${Math.round(skewMs)})
    on conflict (id) do update set last_seen = now(), skew_ms = excluded.skew_ms`.execute(kysely);
  await sql`delete from processes where last_seen < now() - make_interval(hours => ${KEPT_HOURS})`.execute(
    kysely,
  );
}

/** Returns the processes that were seen within a day, those seen last first. */
export async function listProcesses(kysely: DatabaseHandle): Promise<readonly SeenProcess[]> {
  const rows = await kysely
    .selectFrom('processes')
    .select([
      'id',
      'host',
      'version',
      'roles',
      'started_at',
      'last_seen',
      'skew_ms',
      sql<boolean>`last_seen >= now() - make_interval(secs => ${ALIVE_SECONDS})`.as('is_alive'),
    ])
    .orderBy('last_seen', 'desc')
    .limit(MOST_LISTED)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    host: row.host,
    version: row.version,
    roles: row.roles,
    startedAt: row.started_at,
    lastSeen: row.last_seen,
    skewMs: row.skew_ms,
    isAlive: row.is_alive,
  }));
}

/**
 * Finds what the composers that run can make, taken together; where none runs, what those seen last could; where
 * none was ever seen, what this version can make at all.
 */
export async function findOffers(kysely: DatabaseHandle): Promise<Offers> {
  const composers = await kysely
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

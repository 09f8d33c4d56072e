import type { Kysely } from 'kysely';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ReactorError, messageOf } from '../model/errors.ts';
import { openDatabase, openForMigrating } from './database.ts';
import { Jobs } from './jobs.ts';
import { listPendingMigrations, migrateToLatest, type PendingMigration } from './migrate.ts';
import { PostgresqlConnections, type ConnectionLimits } from './postgresql-connections.ts';
import type { Tables } from './tables.ts';

/** Whose tables are meant: those of a PostgreSQL, or of the embedded database in `dataDir` where `url` is empty. */
export interface TablesInput {
  readonly url: string;
  readonly dataDir: string;
  readonly limits: ConnectionLimits;
  /** Version of this program. */
  readonly version: string;
}

/** Returns what would run. Changes nothing. Throws `database.unreachable`. */
export async function checkTables(input: TablesInput): Promise<readonly PendingMigration[]> {
  if (input.url !== '') return withPostgresql(input, (kysely) => listPendingMigrations(kysely));
  // The embedded database is brought up to date whenever it is opened: nobody else can use it meanwhile.
  if (existsSync(join(input.dataDir, 'database'))) return [];
  throw new ReactorError('database.unreachable', 'There is no embedded database yet.', {
    where: input.dataDir,
    hint: '`odcs-reactor migrate` or `serve` makes it.',
    fate: 'halt',
  });
}

/**
 * Brings the tables and the queue up to date, also under processes that run. Returns the names of the migrations it
 * ran. Throws `database.unreachable`, `database.newer`, `database.in_use`.
 */
export async function migrateTables(input: TablesInput): Promise<readonly string[]> {
  if (input.url !== '') {
    return withPostgresql(input, async (kysely, connections) => {
      const ran = await migrateToLatest(kysely, { version: input.version });
      await Jobs.prepare(connections);
      return ran;
    });
  }
  const database = await openDatabase(input);
  await database.close();
  return [];
}

async function withPostgresql<T>(
  { url, limits }: TablesInput,
  work: (kysely: Kysely<Tables>, connections: PostgresqlConnections) => Promise<T>,
): Promise<T> {
  const connections = new PostgresqlConnections(url, limits);
  const kysely = openForMigrating(connections);
  try {
    return await work(kysely, connections);
  } catch (error) {
    if (error instanceof ReactorError && error.fate === 'halt') throw error;
    throw new ReactorError('database.unreachable', `PostgreSQL cannot be used: ${messageOf(error)}`, {
      hint: 'Check ODCS_DATABASE_URL; the user must be allowed to create tables and the schema pgboss.',
      fate: 'halt',
      cause: error,
    });
  } finally {
    await kysely.destroy();
    connections.close();
  }
}

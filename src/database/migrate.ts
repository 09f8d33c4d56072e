import { sql, type Kysely } from 'kysely';
import { FileMigrationProvider, Migrator, type Migration, type MigrationProvider } from 'kysely/migration';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ReactorError } from '../model/errors.ts';
import type { DatabaseHandle } from './database-handle.ts';
import type { Tables } from './tables.ts';

/** A migration that is to run. */
export interface PendingMigration {
  readonly name: string;
  /** A running process of an earlier version cannot go on after it. */
  readonly isBreaking: boolean;
  /** Runs outside a transaction: it builds indexes while others work. */
  readonly isConcurrent: boolean;
}

export interface MigrationOptions {
  /** Version of the program that migrates; processes that are too old are told it. */
  readonly version: string;
  readonly folder?: string;
}

/** What a running process listens for. */
export const MIGRATED_CHANNEL = 'odcs_reactor_migrated';

const ownFolder = path.resolve(import.meta.dirname, '../../migrations');
/** Any number, the same in every process: two that migrate at once take turns. */
const MIGRATION_LOCK = 5_005_040;
const TURN_MS = 200;

/**
 * Returns the migrations that have not run yet, in the order of their names. A migration file may export
 * `isBreaking = true` and `isConcurrent = true`; without them it is harmless and runs in a transaction.
 */
export async function listPendingMigrations(
  database: DatabaseHandle,
  folder = ownFolder,
): Promise<readonly PendingMigration[]> {
  const done = new Set(await listDone(database));
  return (await readMigrations(folder)).filter(({ name }) => !done.has(name));
}

/**
 * Runs the migrations that have not run yet, in the order of their names; several starters may call it at once.
 * `database` needs one connection only, without limits. Returns the names it ran. Throws what the failing migration
 * threw, and `database.newer`.
 */
export async function migrateToLatest(
  database: Kysely<Tables>,
  { version, folder = ownFolder }: MigrationOptions,
): Promise<readonly string[]> {
  await takeTurn(database);
  await assertNotNewer(database, folder);
  const migrations = await markBreaking(database, { version, folder });
  const provider: MigrationProvider = { getMigrations: async () => migrations };
  const ran: string[] = [];
  for (const batch of batchesOf(await listPendingMigrations(database, folder))) {
    const migrator = new Migrator({
      db: database,
      provider,
      allowUnorderedMigrations: true,
      disableTransactions: batch.isConcurrent,
    });
    const { error, results } = await migrator.migrateTo(batch.last);
    if (error !== undefined) throw error;
    ran.push(...(results ?? []).map(({ migrationName }) => migrationName));
  }
  if (ran.length > 0) await sql.raw(`notify ${MIGRATED_CHANNEL}`).execute(database);
  await sql`select pg_advisory_unlock(${MIGRATION_LOCK})`.execute(database);
  return ran;
}

/**
 * Throws `database.newer` where a migration ran that this version does not know and that it cannot work with. A later
 * migration that is harmless is no matter.
 */
export async function assertNotNewer(database: DatabaseHandle, folder = ownFolder): Promise<void> {
  const own = (await readMigrations(folder)).map(({ name }) => name);
  if (!(await hasTable(database, 'breaking_migrations'))) return;
  const rows = await database.selectFrom('breaking_migrations').select(['name', 'version']).execute();
  const newer = rows.filter(({ name }) => !own.includes(name)).at(-1);
  if (newer !== undefined) throw newerThanThis(newer.version);
}

/** The tables are of a version that this one cannot work with. */
export function newerThanThis(version: string): ReactorError {
  return new ReactorError(
    'database.newer',
    `The tables are those of version ${version}; this one is older.`,
    {
      hint: `Upgrade to version ${version} or later.`,
      fate: 'halt',
    },
  );
}

/** Returns the names of the migrations this version knows. */
export async function listKnownMigrations(folder = ownFolder): Promise<readonly string[]> {
  return (await readMigrations(folder)).map(({ name }) => name);
}

/**
 * Waits for the others that migrate. By asking again: a statement that waited would be what an index that is built
 * concurrently waits for.
 */
async function takeTurn(database: DatabaseHandle): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ isOurs: boolean }>`
      select pg_try_advisory_lock(${MIGRATION_LOCK}) as "isOurs"`.execute(database);
    if (rows[0]?.isOurs === true) return;
    await pause(TURN_MS);
  }
}

/** Returns the last migration of each run of neighbours that can share a transaction. */
function batchesOf(
  pending: readonly PendingMigration[],
): readonly { readonly last: string; readonly isConcurrent: boolean }[] {
  return pending.flatMap(({ name, isConcurrent }, at) =>
    !isConcurrent && pending[at + 1]?.isConcurrent === false ? [] : [{ last: name, isConcurrent }],
  );
}

async function readMigrations(folder: string): Promise<readonly PendingMigration[]> {
  const files = await new FileMigrationProvider({ fs, path, migrationFolder: folder }).getMigrations();
  return Object.entries(files)
    .map(([name, file]) => ({
      name,
      isBreaking: 'isBreaking' in file && file.isBreaking === true,
      isConcurrent: 'isConcurrent' in file && file.isConcurrent === true,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function listDone(database: DatabaseHandle): Promise<readonly string[]> {
  if (!(await hasTable(database, 'kysely_migration'))) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(database);
  return rows.map(({ name }) => name);
}

async function hasTable(database: DatabaseHandle, name: string): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`select to_regclass(${name}) is not null as found`.execute(
    database,
  );
  return rows[0]?.found === true;
}

/**
 * Returns the migrations of a folder, each of which notes in its own transaction that it breaks earlier versions. Those
 * of a later version that ran already stand among them as nothing to do.
 */
async function markBreaking(
  database: Kysely<Tables>,
  { version, folder }: Required<MigrationOptions>,
): Promise<Record<string, Migration>> {
  await sql`create table if not exists breaking_migrations (name text primary key, version text not null)`.execute(
    database,
  );
  const files = await new FileMigrationProvider({ fs, path, migrationFolder: folder }).getMigrations();
  const nothing: Migration = { up: async () => undefined };
  const migrations = Object.fromEntries((await listDone(database)).map((name) => [name, nothing]));
  for (const { name, isBreaking } of await readMigrations(folder)) {
    const file = files[name];
    if (file === undefined) continue;
    migrations[name] = !isBreaking
      ? file
      : {
          async up(db) {
            await file.up(db);
            await sql`insert into breaking_migrations values (${name}, ${version}) on conflict do nothing`.execute(
              db,
            );
          },
        };
  }
  return migrations;
}

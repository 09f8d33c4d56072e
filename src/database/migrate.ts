import type { Kysely } from 'kysely';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { Tables } from './tables.ts';

const folder = path.resolve(import.meta.dirname, '../../migrations');

/**
 * Runs the migrations that have not run yet, in the order of their names; several starters may call it at once.
 * Answers the names it ran. Throws what the failing migration threw.
 */
export async function migrateToLatest(database: Kysely<Tables>): Promise<string[]> {
  const migrator = new Migrator({
    db: database,
    provider: new FileMigrationProvider({ fs, path, migrationFolder: folder }),
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return (results ?? []).map((result) => result.migrationName);
}

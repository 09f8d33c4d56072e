import { sql } from 'kysely';
import { ReactorError } from '../model/errors.ts';
import type { DatabaseHandle } from './database-handle.ts';
import type { PendingMigration } from './migrate.ts';
import { APPLICATION } from './postgresql-connections.ts';

/**
 * When a process brings the tables up to date as it starts: `safe` unless that would break a process that runs,
 * `always`, or `never`: then somebody calls `odcs-reactor migrate`.
 */
export type MigrateWhen = 'safe' | 'always' | 'never';

/**
 * Throws `database.not_migrated` where migrations are pending that this process is not to run: all of them where it is
 * told `never`, breaking ones where a process runs. One that runs is always of an earlier version then: what is pending
 * for this one was pending for it.
 */
export async function assertMayMigrate(
  kysely: DatabaseHandle,
  { pending, migrate }: { readonly pending: readonly PendingMigration[]; readonly migrate: MigrateWhen },
): Promise<void> {
  if (pending.length === 0 || migrate === 'always') return;
  const names = pending.map(({ name }) => name).join(', ');
  if (migrate === 'never') {
    throw new ReactorError('database.not_migrated', `The tables are not up to date: ${names}.`, {
      hint: 'Run `odcs-reactor migrate` once, then start.',
      fate: 'halt',
    });
  }
  if (!pending.some(({ isBreaking }) => isBreaking)) return;
  const addresses = await listRunning(kysely);
  if (addresses.length === 0) return;
  throw new ReactorError(
    'database.not_migrated',
    `The tables are those of an earlier version, which still runs: ${addresses.join(', ')}.`,
    {
      hint: 'Stop the processes of the earlier version; `odcs-reactor migrate` brings the tables up to date at once.',
      where: names,
      fate: 'halt',
    },
  );
}

/** Returns where processes of the service run that use this database, by their connections. */
async function listRunning(kysely: DatabaseHandle): Promise<readonly string[]> {
  const { rows } = await sql<{ address: string }>`
    select distinct coalesce(host(client_addr), 'this machine') as address
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and application_name like ${`${APPLICATION} %`} and application_name <> ${`${APPLICATION} migration`}
    order by 1`.execute(kysely);
  return rows.map(({ address }) => address);
}

import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { Client } from 'pg';
import { openDatabase, type Database } from '../../src/database/database.ts';

/** One PostgreSQL database as two processes see it, each through connections and a queue of its own. */
export interface TwoProcesses extends AsyncDisposable {
  readonly first: Database;
  readonly second: Database;
}

/** Opens a new database on the PostgreSQL that ODCS_TEST_DATABASE_URL names, twice. */
export async function openTwoProcesses(): Promise<TwoProcesses> {
  const server = process.env['ODCS_TEST_DATABASE_URL'] ?? '';
  if (server === '') throw new Error('Races need PostgreSQL: run them with `npm test -- races`.');
  const name = `odcs_race_${randomBytes(6).toString('hex')}`;
  await administer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const first = await openDatabase({ url: url.href, dataDir: '' });
  const second = await openDatabase({ url: url.href, dataDir: '' });
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      await Promise.all([first.close(), second.close()]);
      await administer(server, `drop database ${name} with (force)`);
    },
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** Resolves once `work` has ended, or some statement of the database waits for a lock: never sleeps for luck. */
export async function untilBlockedOr(database: Database, work: Promise<unknown>): Promise<void> {
  const over = work.then(
    () => true,
    () => true,
  );
  const isSoonOver = (): Promise<boolean> =>
    Promise.race([over, new Promise<boolean>((resolve) => setTimeout(resolve, 5, false))]);
  while (!(await isSoonOver())) {
    const { rows } = await sql<{ waiting: number }>`
      select count(*)::integer as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(database.kysely);
    if ((rows[0]?.waiting ?? 0) > 0) return;
  }
}

/** A gate that work waits at until it is opened. */
export function latch(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

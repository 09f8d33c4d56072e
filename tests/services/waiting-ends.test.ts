// Runs once: it starts a PostgreSQL of its own.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { Client } from 'pg';
import { openDatabase } from '../../src/database/database.ts';
import { transaction } from '../../src/database/transaction.ts';
import { ensurePackages } from './debian-packages.ts';
import { postgresqlPackages, startPostgresql } from './postgresql.ts';

const packages = ensurePackages(postgresqlPackages);
const skip = packages.ready ? false : 'PostgreSQL is not installed';
const postgresql = packages.ready ? await startPostgresql() : null;
const url = postgresql?.url ?? '';
const limits = { connect: 5, lock: 1, statement: 3, idleTransaction: 1 };
const database = packages.ready ? await openDatabase({ url, dataDir: '', limits }) : null;
after(async () => {
  await database?.close();
  await postgresql?.stop();
});

/** A connection of somebody else. */
async function connect(): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

test('who waits for a lock that somebody holds is told that it is busy', { skip }, async () => {
  assert.ok(database);
  const holder = await connect();
  await holder.query('select pg_advisory_lock(7)');
  const wait = transaction(database, ({ sql: statements }) =>
    sql`select pg_advisory_xact_lock(7)`.execute(statements),
  );
  await assert.rejects(wait, { code: 'database.busy', fate: 'retry' });
  await holder.end();
});

test('a statement that takes too long is ended', { skip }, async () => {
  assert.ok(database);
  await assert.rejects(sql`select pg_sleep(600)`.execute(database.kysely), { code: 'database.busy' });
});

test('a transaction in which nothing happens is ended, and others get what it held', { skip }, async () => {
  assert.ok(database);
  const taken = Promise.withResolvers<void>();
  const freed = Promise.withResolvers<void>();
  const asleep = transaction(database, async ({ sql: statements }) => {
    await sql`select pg_advisory_xact_lock(8)`.execute(statements);
    taken.resolve();
    await freed.promise;
    await sql`select 1`.execute(statements);
  });
  await taken.promise;
  const other = await connect();
  // It waits without a limit of its own: what ends the wait is the server's patience with the sleeper.
  const got = other.query('select pg_advisory_lock(8)').then(() => 'freed');
  assert.equal(await Promise.race([got, pause(60_000, 'held', { ref: false })]), 'freed');
  freed.resolve();
  await assert.rejects(asleep, { fate: 'retry' });
  await other.end();
});

test(
  'connections of the service and of its queue have limits, however the server is set up',
  { skip },
  async () => {
    const usual = await openDatabase({ url, dataDir: '' });
    const settings = await sql<{ lock: string; statement: string; idle: string }>`
    select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement,
      current_setting('idle_in_transaction_session_timeout') as idle`.execute(usual.kysely);
    await usual.close();
    assert.deepEqual(settings.rows, [{ lock: '5s', statement: '1min', idle: '15s' }]);
  },
);

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { snapshotFile } from './embedded-snapshot.ts';

/**
 * A fresh database for one test file: the embedded one, or a new database on the PostgreSQL that
 * ODCS_TEST_DATABASE_URL names. Close it at the end of the file.
 */
export async function openTestDatabase(): Promise<Database> {
  const url = process.env['ODCS_TEST_DATABASE_URL'] ?? '';
  return url === '' ? openEmbeddedCopy() : openFreshDatabase(url);
}

/**
 * Returns all cases on the embedded database and every n-th of them on PostgreSQL: for a long table of cases that the
 * database has no part in, but for being there.
 */
export function thinOnPostgresql<Case>(
  cases: readonly Case[],
  { every }: { every: number },
): readonly Case[] {
  const isAgain = (process.env['ODCS_TEST_DATABASE_URL'] ?? '') !== '';
  return isAgain ? cases.filter((_, index) => index % every === 0) : cases;
}

async function openEmbeddedCopy(): Promise<Database> {
  const snapshot = new Blob([readFileSync(await snapshotFile())]);
  const dataDir = mkdtempSync(join(tmpdir(), 'odcs-database-'));
  const database = await openDatabase({ url: '', dataDir, snapshot });
  return closing(database, async () => rmSync(dataDir, { recursive: true, force: true }));
}

async function openFreshDatabase(url: string): Promise<Database> {
  const name = `odcs_test_${randomBytes(6).toString('hex')}`;
  await administer(url, `create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const database = await openDatabase({ url: own.href, dataDir: '' });
  return closing(database, () => administer(url, `drop database ${name} with (force)`));
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

function closing(database: Database, after: () => Promise<void>): Database {
  const close = async (): Promise<void> => {
    await database.close();
    await after();
  };
  return { ...database, close, [Symbol.asyncDispose]: close };
}

import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { openDatabase, type Database } from '../../src/database/database.ts';

const root = resolve(import.meta.dirname, '../..');
const cache = join(root, '.cache');

/**
 * A fresh database for one test file: the embedded one, or a new database on the PostgreSQL that
 * ODCS_TEST_DATABASE_URL names. Close it at the end of the file.
 */
export async function openTestDatabase(): Promise<Database> {
  const url = process.env['ODCS_TEST_DATABASE_URL'] ?? '';
  return url === '' ? openEmbeddedCopy() : openFreshDatabase(url);
}

async function openEmbeddedCopy(): Promise<Database> {
  const snapshot = await readSnapshot();
  const dataDir = mkdtempSync(join(tmpdir(), 'odcs-database-'));
  const database = await openDatabase({ url: '', dataDir, snapshot });
  return closing(database, async () => rmSync(dataDir, { recursive: true, force: true }));
}

/** An embedded database with all migrations, made once and kept until a migration changes. */
async function readSnapshot(): Promise<Blob> {
  const hash = createHash('sha256');
  for (const folder of ['migrations', 'src/database']) {
    for (const name of readdirSync(join(root, folder)).sort())
      hash.update(readFileSync(join(root, folder, name)));
  }
  const file = join(cache, `database-${hash.digest('hex').slice(0, 16)}.tar`);
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true });
    const dataDir = mkdtempSync(join(tmpdir(), 'odcs-snapshot-'));
    const database = await openDatabase({ url: '', dataDir });
    const dump = await database.embedded?.dumpDataDir('none');
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
    if (dump === undefined) throw new Error('The embedded database gave no dump.');
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, Buffer.from(await dump.arrayBuffer()));
    renameSync(temporary, file);
  }
  return new Blob([readFileSync(file)]);
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

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { Client } from 'pg';
import { openDatabase, openForMigrating } from '../../src/database/database.ts';
import { assertMayMigrate } from '../../src/database/assert-may-migrate.ts';
import { listPendingMigrations, migrateToLatest } from '../../src/database/migrate.ts';
import { PostgresqlConnections, usualLimits } from '../../src/database/postgresql-connections.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { ServeEnded, startServe } from '../composer/serve-process.ts';
import { ensurePackages } from './debian-packages.ts';
import { postgresqlPackages, startPostgresql, type PostgresqlService } from './postgresql.ts';

const packages = ensurePackages(postgresqlPackages);
const skip = packages.ready ? false : packages.reason;
const folder = mkdtempSync(join(tmpdir(), 'odcs-migrating-'));

let postgresql: PostgresqlService;
before(async () => {
  if (packages.ready) postgresql = await startPostgresql();
});
after(async () => {
  if (packages.ready) await postgresql.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function makeDatabase(): Promise<string> {
  const name = `m_${randomBytes(4).toString('hex')}`;
  await run(postgresql.url, `create database ${name}`);
  const url = new URL(postgresql.url);
  url.pathname = `/${name}`;
  return url.href;
}

async function run(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

const codeOf = (error: unknown): string => (error instanceof ReactorError ? error.code : String(error));
const aMigration = `insert into kysely_migration values ('0999-later', now()::text)`;
const aBreakingMark = `insert into breaking_migrations values ('0999-later', '9.0.0')`;

test('a later migration that is harmless stops no process, old or new', { skip }, async () => {
  const url = await makeDatabase();
  await using running = await openDatabase({
    url,
    dataDir: '',
    onNewer: () => assert.fail('a harmless migration was taken for a breaking one'),
  });
  await run(url, aMigration, 'notify odcs_reactor_migrated');
  await using started = await openDatabase({ url, dataDir: '' });
  await started.ping();
  await running.ping();
});

test(
  'a breaking migration ends a process that runs, by its own exit code, and lets it not start again',
  { skip },
  async () => {
    const url = await makeDatabase();
    const settings = {
      ODCS_DATABASE_URL: url,
      ODCS_DATA_DIR: join(folder, 'old'),
      ODCS_ROLES: 'api,janitor',
    };
    const service = await startServe(settings);
    await run(url, aMigration, aBreakingMark, 'notify odcs_reactor_migrated');
    await new Promise((resolve) => service.process.once('close', resolve));
    assert.equal(service.process.exitCode, 4);
    assert.match(service.log(), /database\.newer/);
    assert.match(service.log(), /version 9\.0\.0/);
    const again = await startServe(settings).then(
      () => assert.fail('it started'),
      (error: unknown) => error,
    );
    assert.ok(again instanceof ServeEnded);
    assert.equal(again.exitCode, 4);
  },
);

test('no process breaks another that runs, unless it is told to', { skip }, async () => {
  const url = await makeDatabase();
  await using running = await openDatabase({ url, dataDir: '' });
  const kysely = openForMigrating(new PostgresqlConnections(url, usualLimits));
  const harmless = [{ name: '0998-a', isBreaking: false, isConcurrent: false }];
  const breaking = [...harmless, { name: '0999-b', isBreaking: true, isConcurrent: false }];
  await assertMayMigrate(kysely, { pending: harmless, migrate: 'safe' });
  await assertMayMigrate(kysely, { pending: breaking, migrate: 'always' });
  const refused = (pending: typeof harmless, migrate: 'safe' | 'never'): Promise<string> =>
    assertMayMigrate(kysely, { pending, migrate }).then(() => 'allowed', codeOf);
  assert.equal(await refused(breaking, 'safe'), 'database.not_migrated');
  assert.equal(await refused(harmless, 'never'), 'database.not_migrated');
  await running.close();
  await assertMayMigrate(kysely, { pending: breaking, migrate: 'safe' });
  await kysely.destroy();
});

test(
  'migrations run in order, breaking ones leave their mark, and indexes are built outside a transaction',
  { skip },
  async () => {
    const url = await makeDatabase();
    const migrations = mkdtempSync(join(folder, 'migrations-'));
    writeFileSync(join(migrations, 'package.json'), '{"type":"module"}');
    const write = (name: string, statement: string, flags = ''): void =>
      writeFileSync(
        join(migrations, `${name}.ts`),
        `import { sql } from ${JSON.stringify(import.meta.resolve('kysely'))};\n${flags}
export async function up(db: never): Promise<void> { await sql.raw(${JSON.stringify(statement)}).execute(db); }\n`,
      );
    write('0001-a', 'create table a (n integer)');
    write('0002-b', 'alter table a add column m integer', 'export const isBreaking = true;');
    write('0003-c', 'create index concurrently a_n on a (n)', 'export const isConcurrent = true;');
    write('0004-d', 'create table d (n integer)');
    const starters = [1, 2].map(() => openForMigrating(new PostgresqlConnections(url, usualLimits)));
    const ran = await Promise.all(
      starters.map((kysely) => migrateToLatest(kysely, { version: '2.0.0', folder: migrations })),
    );
    assert.deepEqual(ran.flat().sort(), ['0001-a', '0002-b', '0003-c', '0004-d']);
    assert.ok(
      ran.some((names) => names.length === 0),
      'both ran something',
    );
    const [kysely] = starters;
    assert.ok(kysely !== undefined);
    assert.deepEqual(await listPendingMigrations(kysely, migrations), []);
    const { rows } = await sql<{ name: string; version: string }>`select * from breaking_migrations`.execute(
      kysely,
    );
    assert.deepEqual(rows, [{ name: '0002-b', version: '2.0.0' }]);
    for (const starter of starters) await starter.destroy();
  },
);

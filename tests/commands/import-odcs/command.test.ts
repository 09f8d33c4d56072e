import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client } from 'pg';
import { makeDataDirectory } from '../../database/embedded-snapshot.ts';
import { ensurePackages } from '../../services/debian-packages.ts';
import { postgresqlPackages, startPostgresql } from '../../services/postgresql.ts';
import { insertCompose, makeOdcsDatabase } from './odcs-database.ts';

const folder = mkdtempSync(join(tmpdir(), 'import-odcs-command-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const targetDir = join(folder, 'composes');
mkdirSync(join(targetDir, 'odcs-2'), { recursive: true });
const packages = ensurePackages(postgresqlPackages);
const needsPostgresql = packages.ready ? {} : { skip: packages.reason };

const main = join(import.meta.dirname, '../../../src/main.ts');

/** Runs the program as a person does. */
async function run(
  environment: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<{ readonly code: number | null; readonly out: string; readonly errors: string }> {
  const env = { ...process.env, ODCS_TARGET_DIR: targetDir, ODCS_LOG_LEVEL: 'silent', ...environment };
  const child = spawn(process.execPath, [main, 'import-odcs', ...words], { env });
  let out = '';
  let errors = '';
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, errors };
}

const rows = [
  { id: 2, state: 2, target_dir: '/srv/odcs' },
  {
    id: 5,
    state: 3,
    target_dir: '/srv/odcs',
    state_reason: 'Quote " and \\ and {braces}, null\nCompose is expired.',
  },
  { id: 6, state: 9 },
  { id: 9, state: 0, target_dir: '/srv/private' },
] as const;
const words = ['--target-dir', '/srv/odcs', '--json'];
const report = {
  read: 4,
  states: { done: 1, removed: 1, wait: 1 },
  lastId: 9,
  directories: 1,
  withoutDirectory: 0,
  missing: [],
  unreadable: 1,
  examples: [{ id: '6', why: 'state: 9 is unknown' }],
  unknownPaths: { '/srv/private': 1 },
};

function makeSqlite(): string {
  const path = join(folder, 'odcs.db');
  const database = makeOdcsDatabase(path, '0.2.52');
  for (const row of rows) insertCompose(database, row);
  database.close();
  return path;
}

test('an SQLite of ODCS is imported at the command line, after a dry run', async () => {
  const path = makeSqlite();
  const environment = { ODCS_DATA_DIR: await makeDataDirectory(join(folder, 'embedded')) };
  const dry = await run(environment, path, '--dry-run', ...words);
  assert.equal(dry.code, 0, dry.errors);
  assert.deepEqual(JSON.parse(dry.out), { dry_run: true, ...report, imported: 0, nextId: null });
  const told = await run(environment, `sqlite:///${path}`, '--target-dir', '/srv/odcs');
  assert.deepEqual(told, {
    code: 0,
    errors: '',
    out:
      '4 composes read: 1 done, 1 removed, 1 wait\n' +
      '1 that nobody can read are left out:\n  6: state: 9 is unknown\n' +
      '1 living composes have their directories\n' +
      '1 composes lie in /srv/private, which is no target directory here; --target-dir NAME=/srv/private\n' +
      '3 imported. The next compose will be 10.\n',
  });
});

test('a PostgreSQL of ODCS is imported into a PostgreSQL, text for text', needsPostgresql, async () => {
  const server = await startPostgresql();
  after(() => server.stop());
  const urlOf = (name: string): string => new URL(`/${name}`, server.url).href;
  const connect = async (url: string): Promise<Client> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    return client;
  };
  const admin = await connect(server.url);
  await admin.query('create database odcs');
  await admin.query('create database service');
  await admin.end();
  const odcs = await connect(urlOf('odcs'));
  await odcs.query(
    `create table composes (id serial primary key, owner varchar not null, source_type integer not null, source varchar not null,
      koji_event integer, state integer not null, state_reason varchar, results integer, packages varchar, flags integer,
      time_to_expire timestamp not null, time_submitted timestamp not null, sigkeys varchar, arches varchar, target_dir varchar)`,
  );
  for (const row of rows) {
    await odcs.query(
      `insert into composes (id, owner, source_type, source, state, state_reason, flags, time_to_expire, time_submitted, sigkeys, target_dir)
       values ($1, 'osbs', 1, 'f26', $2, $3, 1, '2026-11-30 08:00:00', '2026-11-20 08:00:00.123456', 'abc ', $4)`,
      [
        row.id,
        row.state,
        'state_reason' in row ? row.state_reason : null,
        'target_dir' in row ? row.target_dir : null,
      ],
    );
  }
  await odcs.end();
  const environment = { ODCS_DATABASE_URL: urlOf('service'), ODCS_DATA_DIR: join(folder, 'data') };
  const done = await run(environment, urlOf('odcs').replace('postgres:', 'postgresql+psycopg2:'), ...words);
  assert.equal(done.code, 0, done.errors);
  assert.deepEqual(JSON.parse(done.out), { dry_run: false, ...report, imported: 3, nextId: 10 });
  const service = await connect(urlOf('service'));
  const { rows: stored } = await service.query<Record<string, unknown>>(
    `select id::int, state, state_reason, sigkeys, request->'flags' as flags, time_submitted = '2026-11-20 08:00:00.123Z' as submitted
     from composes order by id`,
  );
  await service.end();
  const each = { sigkeys: 'abc ', flags: ['no_deps'], submitted: true };
  assert.deepEqual(stored, [
    { id: 2, state: 'done', state_reason: null, ...each },
    { id: 5, state: 'removed', state_reason: rows[1].state_reason, ...each },
    { id: 9, state: 'wait', state_reason: null, ...each },
  ]);
});

test('what is missing or no database of ODCS is told, with an exit code', async () => {
  const environment = { ODCS_DATA_DIR: join(folder, 'embedded', 'data') };
  const without = await run(environment);
  assert.equal(without.code, 2);
  assert.match(without.errors, /database/);
  const absent = await run(environment, join(folder, 'absent.db'));
  assert.notEqual(absent.code, 0);
  assert.match(absent.errors, /import\.unreadable/);
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { importComposesOfOdcs } from '../../../src/commands/import-odcs/import-composes-of-odcs.ts';
import { openOdcsDatabase } from '../../../src/commands/import-odcs/read-odcs-database.ts';
import { findCompose } from '../../../src/database/composes.ts';
import { findPungiConfigDump } from '../../../src/database/pungi-config-dumps.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { createCompose } from '../../../src/lifecycle/create-compose.ts';
import { composeJson } from '../../../src/model/compose-json.ts';
import { openTestDatabase } from '../../database/open-test-database.ts';
import { defaultRequest } from '../../default-request.ts';
import { insertCompose, makeOdcsDatabase, releases, type Release } from './odcs-database.ts';

const folder = mkdtempSync(join(tmpdir(), 'import-odcs-'));
const database = await openTestDatabase();
after(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});
const targetDir = join(folder, 'composes');
mkdirSync(targetDir);
const places = {
  targetDirs: { default: targetDir, private: join(folder, 'private') },
  names: new Map([
    [targetDir, 'default'],
    ['/srv/private', 'private'],
  ]),
};
let files = 0;
beforeEach(() => sql`truncate composes restart identity cascade`.execute(database.kysely));

interface Source {
  readonly path: string;
  readonly insert: (row: Parameters<typeof insertCompose>[1]) => void;
}

function makeOdcs(release: Release = '0.2.52'): Source {
  const path = join(folder, `odcs-${(files += 1)}.db`);
  const made = makeOdcsDatabase(path, release);
  return { path, insert: (row) => insertCompose(made, row) };
}

async function importFrom({ path }: Source, isDry = false) {
  await using odcs = await openOdcsDatabase(path);
  return await importComposesOfOdcs({ database, odcs }, places, { isDry, tell: () => undefined });
}

async function jsonOf(id: number) {
  const compose = await findCompose(database.kysely, id);
  assert.ok(compose, `compose ${id}`);
  return composeJson(compose, { default: 'http://odcs/composes', extra: { private: null } });
}

test('a compose is here what it was at ODCS', async () => {
  const odcs = makeOdcs();
  odcs.insert({
    id: 7,
    source_type: 6,
    source: '',
    state: 3,
    state_reason: 'Fine\nCompose is expired.',
    results: 9,
    packages: 'bash gcc-c++',
    builds: '',
    flags: 1 + 64,
    sigkeys: 'abc12345 ',
    arches: 'x86_64 s390x',
    multilib_arches: 'x86_64',
    multilib_method: 3,
    lookaside_repos: 'http://a http://b',
    module_defaults_url: 'https://git/x 0123',
    label: 'RC-1.0',
    compose_type: 'production',
    pungi_compose_id: 'odcs-7-1-20261120.0',
    pungi_config_dump: '{"a": 1}',
    respin_of: 'odcs-6-1-20261119.0',
    koji_event: 42,
    removed_by: 'admin',
    target_dir: targetDir,
    base_module_br_stream_version_lte: 5,
    time_started: '2026-11-20 08:01:00',
    time_done: '2026-11-20 08:02:00.9',
    time_removed: '2026-11-21 00:00:00.000000',
  });
  const report = await importFrom(odcs);
  assert.deepEqual([report.read, report.imported, report.nextId], [1, 1, 8]);
  const json = await jsonOf(7);
  assert.deepEqual(json, {
    ...json,
    owner: 'osbs',
    source_type: 6,
    state_name: 'removed',
    state_reason: 'Fine\nCompose is expired.',
    results: ['repository', 'boot.iso'],
    packages: 'bash gcc-c++',
    builds: '',
    modules: null,
    flags: ['no_deps', 'no_reuse'],
    sigkeys: 'abc12345 ',
    arches: 'x86_64 s390x',
    multilib_arches: 'x86_64',
    multilib_method: 3,
    lookaside_repos: 'http://a http://b',
    module_defaults_url: 'https://git/x 0123',
    label: 'RC-1.0',
    compose_type: 'production',
    pungi_compose_id: 'odcs-7-1-20261120.0',
    respin_of: 'odcs-6-1-20261119.0',
    koji_event: 42,
    removed_by: 'admin',
    target_dir: 'default',
    base_module_br_stream_version_lte: 5,
    time_submitted: '2026-11-20T08:00:00Z',
    time_started: '2026-11-20T08:01:00Z',
    time_done: '2026-11-20T08:02:00Z',
    time_removed: '2026-11-21T00:00:00Z',
    toplevel_url: 'http://odcs/composes/odcs-7',
  });
  assert.equal(await findPungiConfigDump(database.kysely, 7), '{"a": 1}');
});

for (const release of Object.keys(releases) as Release[]) {
  test(`the database of release ${release} is read, with what it has`, async () => {
    const odcs = makeOdcs(release);
    odcs.insert({ id: 3 });
    assert.equal((await importFrom(odcs)).imported, 1);
    const { compose_type: type, target_dir: dir, builds, state_name: state } = await jsonOf(3);
    assert.deepEqual([type, dir, builds, state], ['test', 'default', null, 'done']);
  });
}

test('ids go on where ODCS stopped, also of an empty one', async () => {
  assert.deepEqual(await importFrom(makeOdcs()).then(({ read, nextId }) => [read, nextId]), [0, 1]);
  const odcs = makeOdcs();
  odcs.insert({ id: 100_000 });
  await importFrom(odcs);
  const request = { ...defaultRequest, sourceType: 'tag', source: ['f40'] } as const;
  const made = await transaction(database, (tx) =>
    createCompose(tx, { owner: 'o', request, priority: 'normal' }),
  );
  assert.equal(made.id, 100_001);
});

test('what reuses another compose shows its directory; what ODCS had not finished waits here', async () => {
  const odcs = makeOdcs();
  odcs.insert({ id: 1, target_dir: targetDir });
  odcs.insert({ id: 2, reused_id: 1, target_dir: targetDir });
  odcs.insert({ id: 3, reused_id: 99 });
  odcs.insert({
    id: 4,
    state: 1,
    reused_id: 1,
    state_reason: 'Compose is generating',
    pungi_compose_id: 'x',
  });
  odcs.insert({ id: 5, state: 0 });
  mkdirSync(join(targetDir, 'odcs-1'));
  const report = await importFrom(odcs);
  assert.equal((await jsonOf(2)).toplevel_url, 'http://odcs/composes/odcs-1');
  assert.equal((await jsonOf(3)).toplevel_url, 'http://odcs/composes/odcs-3');
  const { state_name: state, state_reason: reason } = await jsonOf(4);
  assert.deepEqual([state, reason], ['wait', null]);
  assert.deepEqual(report.states, { done: 3, wait: 2 });
  assert.deepEqual([report.directories, report.withoutDirectory, report.missing], [2, 1, [3]]);
});

test('target directories are called by their paths at ODCS; one that nobody knows is told', async () => {
  const odcs = makeOdcs();
  odcs.insert({ id: 1, target_dir: '/srv/private/' });
  odcs.insert({ id: 2, target_dir: '/srv/gone' });
  const { unknownPaths } = await importFrom(odcs);
  assert.equal((await jsonOf(1)).target_dir, 'private');
  assert.deepEqual([(await jsonOf(2)).target_dir, (await jsonOf(2)).toplevel_url], ['unknown', '']);
  assert.deepEqual(unknownPaths, { '/srv/gone': 1 });
});

test('rows that nobody can read are told and left out, all others come', async () => {
  const odcs = makeOdcs();
  odcs.insert({ id: 1, state: 9 });
  odcs.insert({ id: 2, source_type: 77 });
  odcs.insert({ id: 3, time_submitted: 'yesterday' });
  odcs.insert({ id: 4, source: 'a\0b' });
  odcs.insert({ id: 5, flags: -1 });
  odcs.insert({ id: 6, reused_id: 1 });
  const { imported, unreadable, examples } = await importFrom(odcs);
  assert.deepEqual([imported, unreadable], [1, 5]);
  assert.deepEqual(
    examples.map(({ id, why }) => `${id} ${why.split(':')[0]}`),
    ['1 state', '2 source_type', '3 time_submitted', '4 source', '5 flags'],
  );
});

test('composes keep the id of Pungi that another one has, too', async () => {
  const odcs = makeOdcs();
  for (const id of [1, 2]) odcs.insert({ id, pungi_compose_id: 'Fedora-40-20261120.n.0' });
  await importFrom(odcs);
  assert.deepEqual(
    [(await jsonOf(1)).pungi_compose_id, (await jsonOf(2)).pungi_compose_id],
    ['Fedora-40-20261120.n.0', 'Fedora-40-20261120.n.0'],
  );
});

test('a dry run tells the same and writes nothing', async () => {
  const odcs = makeOdcs();
  odcs.insert({ id: 1 });
  const report = await importFrom(odcs, true);
  assert.deepEqual([report.read, report.imported, report.states, report.lastId], [1, 0, { done: 1 }, 1]);
  assert.equal(await findCompose(database.kysely, 1), undefined);
});

test('an import that was interrupted goes on; one into composes of this service is refused', async () => {
  const odcs = makeOdcs();
  odcs.insert({ id: 1 });
  await importFrom(odcs);
  odcs.insert({ id: 2 });
  assert.equal((await importFrom(odcs)).imported, 1);
  const other = makeOdcs();
  other.insert({ id: 2, owner: 'somebody else' });
  await assert.rejects(importFrom(other), { code: 'import.ids_taken' });
});

test('what is no database of ODCS is told', async () => {
  const path = join(folder, 'text.db');
  writeFileSync(path, 'no database '.repeat(100));
  await assert.rejects(openOdcsDatabase(path), { code: 'import.unreadable' });
  await assert.rejects(openOdcsDatabase(join(folder, 'absent.db')), { code: 'import.unreadable' });
  await assert.rejects(
    openOdcsDatabase('postgresql+psycopg2://nobody:secret@127.0.0.1:1/x'),
    (error: Error) => {
      assert.ok(!JSON.stringify(error).includes('secret'));
      return 'code' in error && error.code === 'import.unreadable';
    },
  );
});

import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { forgetHistory, type KeptDays } from '../../src/composer/forget-history.ts';
import { createLog } from '../../src/log.ts';
import { emptyTables } from '../rules/engine.ts';
import { atTime } from './at-time.ts';
import { openTestDatabase } from './open-test-database.ts';

const database = await openTestDatabase();
after(() => database.close());
beforeEach(async () => {
  await emptyTables(database);
  for (const table of ['announcements', 'rule_groups', 'rule_sets', 'rule_clocks'] as const) {
    await database.kysely.deleteFrom(table).execute();
  }
});

const now = new Date('2026-06-01T00:00:00Z');
const kept: KeptDays = { events: 30, announcements: 30, decisions: 365, ruleGroups: 90, ruleSets: 180 };

async function run(statement: string): Promise<void> {
  await sql.raw(statement).execute(database.kysely);
}

async function forget(): Promise<boolean> {
  const context = { database: atTime(database, now), log: createLog('silent') };
  return forgetHistory(context, kept, new AbortController().signal);
}

async function idsOf(table: 'announcements' | 'decisions' | 'settle_windows' | 'compose_requests') {
  const rows = await database.kysely.selectFrom(table).select('id').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

/** Days before now, as PostgreSQL reads it. */
const ago = (days: number): string => `'${new Date(now.getTime() - days * 86_400_000).toISOString()}'`;

async function addCompose(id: number, state: string, request: number | null): Promise<void> {
  await run(`insert into composes (id, owner, request, source_type, source, state, time_submitted, time_to_expire, arches,
    sigkeys, compose_type, target_dir, priority, request_id)
    values (${id}, 'rule', '{}', 1, 'f44', '${state}', ${ago(500)}, ${ago(-1)}, 'x86_64', '', 'test', 'default', 'normal', ${request})`);
}

async function addRequest(id: number, state: string, days: number, more = 'null'): Promise<void> {
  await run(`insert into compose_requests (id, rule, series, body, priority, causes, chain, unchanged, state, superseded_by,
    created_at, finished_at)
    values (${id}, 'nightly', 'nightly', '{}', 'normal', '[]', '[]', 'skip', '${state}', ${more}, ${ago(days)},
      ${state === 'pending' || state === 'running' ? 'null' : ago(days)})`);
}

async function addWindow(id: number, days: number, group = '{}'): Promise<void> {
  await run(`insert into settle_windows (id, rule, rule_set, group_key, opened_at, last_at, due_at, closed_at, outcome,
    priority, decided_at)
    values (${id}, 'nightly', 'v1', '${group}', ${ago(days)}, ${ago(days)}, ${ago(days)}, ${ago(days)}, 'requested', 'normal', ${ago(days)})`);
}

async function addDecision(
  id: number,
  of: { window: number; request?: number; compose?: number; days: number },
): Promise<void> {
  await run(`insert into decisions (id, at, rule, rule_set, window_id, request_id, compose_id, outcome, why, trail)
    values (${id}, ${ago(of.days)}, 'nightly', 'v1', ${of.window}, ${of.request ?? 'null'}, ${of.compose ?? 'null'}, 'composed', '', '[]')`);
}

test('an announcement goes once every bus has had it for long enough', async () => {
  await run(`insert into announcements (id, message_id, state, created_at, finished_at) values
    (1, 'a', 'done', ${ago(60)}, ${ago(31)}), (2, 'b', 'done', ${ago(60)}, ${ago(29)}), (3, 'c', 'done', ${ago(60)}, null)`);
  assert.equal(await forget(), true);
  assert.deepEqual(await idsOf('announcements'), [2, 3]);
});

test('a decision goes with its window and its request, unless its compose lives or its request is under way', async () => {
  for (const [id, state] of [
    [1, 'composed'],
    [2, 'composed'],
    [3, 'running'],
    [4, 'composed'],
  ] as const) {
    await addRequest(id, state, id === 4 ? 1 : 400);
    await addWindow(id, id === 4 ? 1 : 400);
  }
  await addCompose(1, 'removed', 1);
  await addCompose(2, 'done', 2);
  for (const id of [1, 2]) await addDecision(id, { window: id, request: id, compose: id, days: 400 });
  await addDecision(3, { window: 3, request: 3, days: 400 });
  await addDecision(4, { window: 4, request: 4, days: 1 });
  await forget();
  assert.deepEqual(await idsOf('decisions'), [2, 3, 4]);
  assert.deepEqual(await idsOf('settle_windows'), [2, 3, 4]);
  assert.deepEqual(await idsOf('compose_requests'), [2, 3, 4]);
});

test('the newest window of a group that is remembered stays, and goes once its group is forgotten', async () => {
  await addWindow(1, 500);
  await addWindow(2, 400);
  await run(`insert into rule_groups (rule, group_key, seen_at) values ('nightly', '{}', ${ago(10)})`);
  await forget();
  assert.deepEqual(await idsOf('settle_windows'), [2]);
  await run(`update rule_groups set seen_at = ${ago(91)}`);
  await forget();
  await forget();
  assert.deepEqual(await idsOf('settle_windows'), []);
});

test('what still tells how a series stands stays, and what took others in as long as they do', async () => {
  await addRequest(1, 'composed', 500);
  await addRequest(2, 'failed', 490);
  await addRequest(3, 'composed', 480);
  await addRequest(4, 'failed', 470);
  await addRequest(5, 'unchanged', 460);
  await addRequest(6, 'composed', 400);
  await addRequest(7, 'unchanged', 390);
  await addRequest(8, 'superseded', 10, '3');
  await forget();
  assert.deepEqual(await idsOf('compose_requests'), [3, 6, 7, 8]);
});

test('sets and clocks of rules that are gone are forgotten, the set that runs never', async () => {
  await run(`insert into rule_sets (version, documents, first_at, running_at) values
    ('old', '[]', ${ago(300)}, ${ago(200)}), ('last', '[]', ${ago(300)}, ${ago(190)})`);
  await run(
    `insert into rule_clocks values ('gone', 'sweep', ${ago(401)}), ('yearly', '0 0 1 1 *', ${ago(364)})`,
  );
  await forget();
  const sets = await database.kysely.selectFrom('rule_sets').select('version').execute();
  assert.deepEqual(sets, [{ version: 'last' }]);
  const clocks = await database.kysely.selectFrom('rule_clocks').select('rule').execute();
  assert.deepEqual(clocks, [{ rule: 'yearly' }]);
});

test('much history goes in bounded turns', async () => {
  await run(`insert into announcements (message_id, state, created_at, finished_at)
    select 'm' || n, 'done', ${ago(60)}, ${ago(60)} from generate_series(1, 10001) as n`);
  assert.equal(await forget(), false);
  assert.equal((await idsOf('announcements')).length, 1);
  assert.equal(await forget(), true);
  assert.equal((await idsOf('announcements')).length, 0);
});

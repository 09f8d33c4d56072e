import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import type { Rule } from '../../src/model/rule.ts';
import { runRuleClocks } from '../../src/rules/reconcile.ts';
import type { KojiState } from '../../src/rules/require.ts';
import { atTime } from '../database/at-time.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { emptyTables, Engine } from './engine.ts';
import { tagEvent } from './input-event.ts';
import { readRule, ruleText } from './rule-text.ts';

const database = await openTestDatabase();
after(() => database.close());
beforeEach(() => emptyTables(database));

const start = Date.parse('2026-03-01T04:00:00Z');
const at = (minutes: number): Date => new Date(start + minutes * 60_000);

const koji: KojiState = {
  packagesOfTag: async () => new Set(['vim']),
  openBuilds: async () => [],
  unsignedBuilds: async () => [],
  tagLastChange: async () => 500,
};

function engineOf(rule: Rule): Engine {
  return new Engine(database, { version: 'v1', rules: [rule] }, { koji });
}

async function clocks(engine: Engine, now: Date, isStart = false): Promise<Date | null> {
  const context = {
    database: atTime(database, now),
    rules: engine.rules,
    sources: engine.sources,
    isStart,
  };
  return runRuleClocks({ ...context, onError: (_rule, error) => assert.fail(String(error)) });
}

/** Matches what clocks made, and answers the reasons. */
async function matchInternal(engine: Engine, now: Date): Promise<string[]> {
  const rows = await database.handle
    .selectFrom('events')
    .select(['id', 'event'])
    .where('bus', '=', 'internal')
    .where('matched_at', 'is', null)
    .orderBy('id')
    .execute();
  for (const { id } of rows) await engine.match(id, now);
  return rows.map(({ event }) => (event?.kind === 'state.swept' ? event.reason : (event?.kind ?? '')));
}

test('a schedule ticks once among all workers, and missed ticks become one', async () => {
  const engine = engineOf(readRule(ruleText('- schedule: "0 5 * * *"')));
  assert.equal((await clocks(engine, at(0)))?.getTime(), at(60).getTime());
  assert.deepEqual(await matchInternal(engine, at(0)), []);
  await Promise.all([clocks(engine, at(60)), clocks(engine, at(60)), clocks(engine, at(60))]);
  assert.deepEqual(await matchInternal(engine, at(60)), ['schedule.tick']);
  assert.deepEqual(await engine.advance(at(60)), ['requested']);
  const threeDays = at(60 + 3 * 1440);
  await clocks(engine, threeDays);
  await clocks(engine, threeDays);
  assert.deepEqual(await matchInternal(engine, threeDays), ['schedule.tick']);
});

test('a sweep finds a change that no message told, once', async () => {
  const engine = engineOf(readRule(ruleText('- event: koji.tag', 'reconcile: 30m\n')));
  assert.equal((await clocks(engine, at(0), true))?.getTime(), at(30).getTime());
  assert.deepEqual(await matchInternal(engine, at(0)), [
    'f44 changed at Koji event 500; never evaluated before.',
  ]);
  assert.deepEqual(await engine.advance(at(0)), ['requested']);
  await clocks(engine, at(10));
  await clocks(engine, at(31));
  assert.deepEqual(await matchInternal(engine, at(31)), [], 'event 500 has been asked for');
  engine.sources = { koji: { ...koji, tagLastChange: async () => 501 } };
  await clocks(engine, at(62));
  assert.deepEqual(await matchInternal(engine, at(62)), [
    'f44 changed at Koji event 501; event 500 was evaluated last.',
  ]);
});

test('a sweep looks again at a group that waits for a state', async () => {
  const engine = engineOf(
    readRule(
      ruleText(
        '- event: koji.tag',
        'group_by: [tag]\nreconcile: 30m\nseries: "${tag}"\nrequire: [ { koji.tag_has_packages: { tag: "${tag}", packages: [nano] } } ]\n',
      ).replace('source: f44', 'source: "${tag}"'),
    ),
  );
  const first = await engine.receive(tagEvent({ tag: 'side-1' }), at(0));
  assert.deepEqual(await engine.advance(at(0)), ['not_ready']);
  engine.sources = { koji: { ...koji, packagesOfTag: async () => new Set(['nano']) } };
  await clocks(engine, at(30));
  assert.deepEqual(await matchInternal(engine, at(30)), [
    'nightly looks again: its last window ended as not_ready.',
  ]);
  assert.deepEqual(await engine.advance(at(30)), ['requested']);
  const [request] = await database.handle.selectFrom('compose_requests').selectAll().execute();
  assert.equal(request?.series, 'side-1');
  assert.ok(request?.causes.includes(first));
});

test('a clock that stepped back does not silence a schedule', async () => {
  const engine = engineOf(readRule(ruleText('- schedule: "0 5 * * *"')));
  await clocks(engine, at(10 * 1440));
  await clocks(engine, at(0));
  await clocks(engine, at(61));
  assert.deepEqual(await matchInternal(engine, at(61)), ['schedule.tick']);
});

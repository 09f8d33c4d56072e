import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { array, asyncProperty, assert as check, constantFrom, integer, record } from 'fast-check';
import { transaction } from '../../src/database/transaction.ts';
import { clampWindows, closeDueWindows } from '../../src/database/windows.ts';
import type { Rule } from '../../src/model/rule.ts';
import { matchEvents } from '../../src/rules/match-event.ts';
import { openOrExtend, type SettleWindow } from '../../src/rules/settle.ts';
import { atTime } from '../database/at-time.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { emptyTables, Engine, storeEvent } from './engine.ts';
import { tagEvent } from './input-event.ts';
import { readRule, ruleText } from './rule-text.ts';

const database = await openTestDatabase();
after(() => database.close());
beforeEach(() => emptyTables(database));

const start = Date.parse('2026-03-01T10:00:00Z');
const at = (seconds: number): Date => new Date(start + seconds * 1000);

function rule(rest: string): Rule {
  return readRule(ruleText('- event: koji.tag', rest));
}

async function windows() {
  const rows = await database.kysely.selectFrom('settle_windows').selectAll().orderBy('id').execute();
  const causes = await database.kysely.selectFrom('window_causes').selectAll().orderBy('event_id').execute();
  return rows.map((row) => ({
    ...row,
    causes: causes.filter(({ window_id }) => window_id === row.id).map(({ event_id }) => event_id),
  }));
}

test('the stored windows are those of the pure function, whatever the times', async () => {
  const events = array(record({ gap: integer({ min: 0, max: 40 }), tag: constantFrom('a', 'b') }), {
    minLength: 1,
    maxLength: 12,
  });
  const times = { settleMs: 20_000, maxWaitMs: 60_000 };
  const engine = new Engine(database, {
    version: 'v1',
    rules: [rule('group_by: [tag]\nsettle: 20s\nmax_wait: 1m\n')],
  });
  await check(
    asyncProperty(events, async (list) => {
      await emptyTables(database);
      const reference = new Map<string, SettleWindow>();
      const closed: number[][] = [];
      let clock = 0;
      for (const { gap, tag } of list) {
        clock += gap;
        const id = await engine.receive(tagEvent({ tag }), at(clock));
        const step = openOrExtend(
          reference.get(tag) ?? null,
          { id, at: at(clock).getTime(), priority: 'normal' },
          times,
        );
        reference.set(tag, step.window);
        if (step.closed !== null) closed.push([...step.closed.causes]);
      }
      const rows = await windows();
      const open = rows.filter((row) => row.closed_at === null);
      assert.deepEqual(
        open.map((row) => [row.group_key, row.due_at.getTime(), row.causes]).sort(),
        [...reference].map(([tag, window]) => [JSON.stringify({ tag }), window.dueAt, window.causes]).sort(),
      );
      assert.deepEqual(
        rows
          .filter((row) => row.closed_at !== null)
          .map((row) => row.causes)
          .sort(),
        closed.sort(),
      );
    }),
    { numRuns: 15 },
  );
});

test('an event delivered twice is matched once', async () => {
  const engine = new Engine(database, { version: 'v1', rules: [rule('settle: 20s\n')] });
  const id = await engine.receive(tagEvent(), at(0));
  await engine.match(id, at(5));
  const [window, ...more] = await windows();
  assert.equal(more.length, 0);
  assert.deepEqual(window?.causes, [id]);
  assert.equal(window?.due_at.getTime(), at(20).getTime());
  const decisions = await database.kysely.selectFrom('decisions').selectAll().execute();
  assert.deepEqual(
    decisions.map(({ outcome, rule_set, window_id }) => [outcome, rule_set, window_id]),
    [['matched', 'v1', window?.id]],
  );
});

test('many workers at once put all events into one window and close it once', async () => {
  const engine = new Engine(database, { version: 'v1', rules: [rule('settle: 20s\n')] });
  const ids = await Promise.all(
    Array.from({ length: 20 }, (_, index) => storeEvent(database, tagEvent(), at(index / 10))),
  );
  await Promise.all([...ids, ...ids].map((id) => engine.match(id, at(2))));
  const rows = await windows();
  assert.equal(rows.length, 1);
  assert.deepEqual(
    rows[0]?.causes,
    ids.toSorted((left, right) => left - right),
  );
  const closings = await Promise.all(
    Array.from({ length: 5 }, () => transaction(atTime(database, at(60)), (tx) => closeDueWindows(tx, 100))),
  );
  assert.equal(closings.flat().length, 1);
});

test('a window waits for events that were received before it was due and are not matched yet', async () => {
  const engine = new Engine(database, { version: 'v1', rules: [rule('settle: 20s\n')] });
  const first = await engine.receive(tagEvent(), at(0));
  const late = await storeEvent(database, tagEvent(), at(19));
  assert.deepEqual(await engine.advance(at(20)), []);
  await engine.match(late, at(21));
  assert.deepEqual(await engine.advance(at(21)), []);
  assert.deepEqual(await engine.advance(at(39)), ['requested']);
  assert.deepEqual(
    (await windows()).map(({ causes }) => causes),
    [[first, late]],
  );
});

test('an event that is never matched holds a window for two seconds only', async () => {
  const engine = new Engine(database, { version: 'v1', rules: [rule('settle: 20s\n')] });
  await engine.receive(tagEvent(), at(0));
  await storeEvent(database, tagEvent(), at(10));
  assert.deepEqual(await engine.advance(at(21)), []);
  assert.deepEqual(await engine.advance(at(22)), ['requested']);
});

test('an event that nobody matched long ago holds no window', async () => {
  const engine = new Engine(database, { version: 'v1', rules: [rule('settle: 20s\n')] });
  await storeEvent(database, tagEvent(), at(-3600));
  await engine.receive(tagEvent(), at(0));
  assert.deepEqual(await engine.advance(at(20)), ['requested']);
});

test('after the clock stepped back an hour windows wait for one settle time, not for an hour', async () => {
  const engine = new Engine(database, { version: 'v1', rules: [rule('settle: 20s\n')] });
  await engine.receive(tagEvent(), at(3600));
  assert.equal(await clampWindows(database.kysely, at(3601)), 0);
  assert.equal(await clampWindows(database.kysely, at(10)), 1);
  assert.deepEqual(await engine.advance(at(29)), []);
  assert.deepEqual(await engine.advance(at(30)), ['requested']);
});

test('a field that group_by names and the message lacks is unknown', async () => {
  const engine = new Engine(database, { version: 'v1', rules: [rule('group_by: [user]\n')] });
  const id = await engine.receive(tagEvent(), at(0));
  const [decision] = await database.kysely
    .selectFrom('decisions')
    .selectAll()
    .where('event_id', '=', id)
    .execute();
  assert.equal(decision?.outcome, 'unknown');
  assert.match(decision?.why ?? '', /"user", which group_by names/);
});

test('a crowd of events is put into its window by one statement for many, each once', async () => {
  const engine = new Engine(database, {
    version: 'v1',
    rules: [rule('group_by: [tag]\nsettle: 20s\nmax_wait: 1m\n')],
  });
  const ids = await Promise.all(
    Array.from({ length: 300 }, (_, index) =>
      storeEvent(database, tagEvent({ tag: index % 3 === 0 ? 'a' : 'b' }), at(index / 100)),
    ),
  );
  const context = { database: atTime(database, at(4)), rules: engine.rules };
  await Promise.all([
    matchEvents(context, ids.slice(0, 200)),
    matchEvents(context, ids.slice(100)),
    matchEvents(context, ids),
  ]);
  const rows = await windows();
  assert.deepEqual(rows.map(({ group_key, causes }) => [group_key, causes.length]).sort(), [
    ['{"tag":"a"}', 100],
    ['{"tag":"b"}', 200],
  ]);
  assert.equal(
    rows.find(({ group_key }) => group_key === '{"tag":"b"}')?.due_at.getTime(),
    at(22.99).getTime(),
  );
});

test('events that are matched long after they came lead to few windows, not to one for each', async () => {
  const engine = new Engine(database, { version: 'v1', rules: [rule('settle: 5s\nmax_wait: 20s\n')] });
  const ids = await Promise.all(
    Array.from({ length: 60 }, (_, index) => storeEvent(database, tagEvent(), at(index))),
  );
  let closed = 0;
  for (const [index, id] of ids.entries()) {
    await engine.match(id, at(300 + index / 10));
    closed += (await engine.advance(at(300 + index / 10))).length;
  }
  assert.ok(closed <= 6, `${closed} windows within six seconds`);
});

test('a rule that says no leaves no row: the event names the set that judged it', async () => {
  const rules = [
    readRule(ruleText('- event: koji.tag\n  match: { tag: f45 }')),
    readRule(
      ruleText('- event: koji.tag\n  match: { package: [ed, vim] }').replace('name: nightly', 'name: other'),
      'other.yaml',
    ),
    readRule(
      ruleText('- event: koji.tag\n  match: { user: alice }').replace('name: nightly', 'name: unsure'),
      'unsure.yaml',
    ),
  ];
  const engine = new Engine(database, { version: 'v7', rules });
  const id = await engine.receive(tagEvent(), at(0));
  const decisions = await database.kysely.selectFrom('decisions').selectAll().execute();
  assert.deepEqual(
    decisions.map(({ rule: name, outcome }) => [name, outcome]),
    [['unsure', 'unknown']],
  );
  const row = await database.kysely
    .selectFrom('events')
    .select('rule_set')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  assert.equal(row.rule_set, 'v7');
});

import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { forgetEvents } from '../../src/composer/forget-events.ts';
import { findDecisions } from '../../src/database/decisions.ts';
import { findNeededEvents, pruneEvents } from '../../src/database/prune-events.ts';
import { transaction, type UnitOfWork } from '../../src/database/transaction.ts';
import { createComposeOfRequest } from '../../src/lifecycle/create-compose.ts';
import { beginCompose, moveCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { beginRequest } from '../../src/lifecycle/move-request.ts';
import { createLog } from '../../src/log.ts';
import { defaultRequest } from '../default-request.ts';
import { emptyTables, Engine, storeEvent } from '../rules/engine.ts';
import { tagEvent } from '../rules/input-event.ts';
import { readRule, ruleText } from '../rules/rule-text.ts';
import { atTime } from './at-time.ts';
import { openTestDatabase } from './open-test-database.ts';

const database = await openTestDatabase();
after(() => database.close());
beforeEach(() => emptyTables(database));

const start = Date.parse('2026-03-01T10:00:00Z');
const day = (days: number): Date => new Date(start + days * 86_400_000);
const kept = 30;

function engineOf(rest: string): Engine {
  return new Engine(database, { version: 'v1', rules: [readRule(ruleText('- event: koji.tag', rest))] });
}

/** Forgets what is too old on a day; returns the events that are left. */
async function leftOn(now: Date): Promise<number[]> {
  const before = new Date(now.getTime() - kept * 86_400_000);
  const needed = await findNeededEvents(database.kysely, { before, now });
  await pruneEvents(database.kysely, { before, needed }, 100);
  const rows = await database.kysely.selectFrom('events').select('id').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

async function withQueue<T>(now: Date, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
  return transaction(atTime(database, now), work);
}

test('an event goes after its time, with what the rules answered to it', async () => {
  const engine = engineOf('settle: 1h\n');
  engine.rules = { version: 'v1', rules: engine.rules.rules.map((rule) => ({ ...rule, mode: 'shadow' })) };
  const old = await engine.receive(tagEvent(), day(0));
  const poison = await storeEvent(database, tagEvent(), day(0));
  await database.kysely
    .updateTable('events')
    .set({ kind: null, event: null, reason: 'not understood' })
    .where('id', '=', poison)
    .execute();
  assert.deepEqual(await engine.advance(day(1)), ['shadow']);
  const young = await engine.receive(tagEvent(), day(2));
  assert.deepEqual(await engine.advance(day(3)), ['shadow']);
  assert.deepEqual(await leftOn(day(29)), [old, poison, young]);
  assert.deepEqual(await leftOn(day(31)), [young]);
  const left = await findDecisions(database.kysely, { limit: 10 });
  assert.deepEqual(
    left.map(({ event_id, outcome }) => [event_id, outcome]).toReversed(),
    [
      [null, 'shadow'],
      [young, 'matched'],
      [null, 'shadow'],
    ],
    'what became of windows stays',
  );
});

test('an event stays as long as its window is open or undecided', async () => {
  const engine = engineOf('settle: 40d\nmax_wait: 50d\n');
  const event = await engine.receive(tagEvent(), day(0));
  assert.deepEqual(await leftOn(day(39)), [event]);
  await database.kysely
    .updateTable('settle_windows')
    .set({ closed_at: day(40) })
    .execute();
  assert.deepEqual(await leftOn(day(100)), [event]);
  await database.kysely
    .updateTable('settle_windows')
    .set({ decided_at: day(100), outcome: 'covered' })
    .execute();
  assert.deepEqual(await leftOn(day(100)), []);
});

test('an event that waits for a state is handed on, however old it is', async () => {
  const engine = engineOf('require: [ { composes.finished: { series: [base] } } ]\n');
  const composes = { seriesState: async () => ({ finished: false, running: false }) };
  engine.sources = { composes };
  const first = await engine.receive(tagEvent(), day(0));
  let now = 0;
  for (; now < 35; now += 5) {
    if (now > 0) await engine.receive(tagEvent(), day(now));
    assert.deepEqual(await engine.advance(day(now)), ['not_ready']);
  }
  assert.ok((await leftOn(day(now))).includes(first));
  assert.ok(!(await leftOn(day(now + 7))).includes(first), 'a week later nobody takes it along');
});

test('an event stays as long as the compose it led to, and the request on the way there', async () => {
  const engine = engineOf('');
  const event = await engine.receive(tagEvent(), day(0));
  assert.deepEqual(await engine.advance(day(0)), ['requested']);
  const { id: requestId } = await database.kysely
    .selectFrom('compose_requests')
    .select('id')
    .executeTakeFirstOrThrow();
  assert.deepEqual(await leftOn(day(40)), [event], 'the request waits');
  await withQueue(day(40), (tx) => beginRequest(tx, requestId));
  assert.deepEqual(await leftOn(day(40)), [event], 'the request runs');
  const compose = await withQueue(day(40), async (tx) => {
    const made = await createComposeOfRequest(
      tx,
      {
        owner: 'rule',
        request: { ...defaultRequest, sourceType: 'tag', source: ['f44'] },
        priority: 'normal',
      },
      { id: requestId, series: 'nightly' },
    );
    const held = await beginCompose(tx, made.id);
    assert.ok(held);
    await moveHeldCompose(tx, held, 'publish', { reason: null });
    return made;
  });
  assert.ok((await leftOn(day(41))).includes(event), 'the compose lives');
  await withQueue(day(42), (tx) => moveCompose(tx, compose.id, 'remove', { reason: null }));
  const left = await leftOn(day(42));
  assert.ok(!left.includes(event));
  assert.equal(left.length, 2, 'that the compose was done and removed are events themselves');
});

test('many old events go in bounded turns, the oldest first', async () => {
  const ids = [];
  for (let index = 0; index < 5; index++) ids.push(await storeEvent(database, tagEvent(), day(index)));
  const prune = { before: day(100), needed: [] };
  assert.equal(await pruneEvents(database.kysely, prune, 2), 2);
  const rows = await database.kysely.selectFrom('events').select('id').orderBy('id').execute();
  assert.deepEqual(
    rows.map(({ id }) => id),
    ids.slice(2),
  );
  const context = { database: atTime(database, day(130)), log: createLog('silent') };
  const { signal } = new AbortController();
  assert.equal(await forgetEvents(context, kept, signal), true);
  assert.deepEqual(await leftOn(day(130)), []);
});

import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import { moveRuleClock } from '../../src/database/rule-clocks.ts';
import { transaction, type UnitOfWork } from '../../src/database/transaction.ts';
import { markMatched } from '../../src/database/input-events.ts';
import {
  closeDueWindows,
  closeOverdueWindow,
  findOverdueWindows,
  lockOpenWindow,
  markDecided,
} from '../../src/database/windows.ts';
import { runRuleClocks } from '../../src/rules/reconcile.ts';
import { atTime } from '../database/at-time.ts';
import { emptyTables, Engine, storeEvent } from '../rules/engine.ts';
import { tagEvent } from '../rules/input-event.ts';
import { quietKoji } from '../rules/quiet-koji.ts';
import { readRule, ruleText } from '../rules/rule-text.ts';
import { latch, openTwoProcesses, untilBlockedOr } from './two-processes.ts';

const processes = await openTwoProcesses();
const { first, second } = processes;
after(() => processes[Symbol.asyncDispose]());
beforeEach(() => emptyTables(first));

const at = (seconds: number): Date => new Date(Date.parse('2026-03-01T10:00:00Z') + seconds * 1000);
const rules = { version: 'v1', rules: [readRule(ruleText('- event: koji.tag', 'reconcile: 1m\n'))] };

/** Runs `later` in the second process while the first holds what it did in a transaction, which then commits. */
async function meanwhile<T>(
  before: (tx: UnitOfWork) => Promise<unknown>,
  later: (database: Database) => Promise<T>,
): Promise<T> {
  const commit = latch();
  const isDone = latch();
  const holding = transaction(first, async (tx) => {
    await before(tx);
    isDone.open();
    await commit.opened;
  });
  await isDone.opened;
  const result = later(second);
  await untilBlockedOr(first, result);
  commit.open();
  await holding;
  return result;
}

test('an event that another process matches at the same instant opens no window', async () => {
  const id = await storeEvent(first, tagEvent(), at(0));
  await meanwhile(
    (tx) => markMatched(tx.sql, { ids: [id], ruleSet: 'v1', now: at(1) }),
    (database) => new Engine(database, rules).match(id, at(1)),
  );
  assert.deepEqual(await first.kysely.selectFrom('settle_windows').select('id').execute(), []);
});

test('a window that another process decides at the same instant asks for nothing', async () => {
  const engine = new Engine(second, rules);
  await engine.receive(tagEvent(), at(0));
  const { id } = await first.kysely.selectFrom('settle_windows').select('id').executeTakeFirstOrThrow();
  await first.kysely
    .updateTable('settle_windows')
    .set({ closed_at: at(1) })
    .execute();
  const outcome = await meanwhile(
    (tx) => markDecided(tx.sql, id, 'covered', at(1)),
    () => engine.decide(id, at(1)),
  );
  assert.equal(outcome, null);
  assert.deepEqual(await first.kysely.selectFrom('compose_requests').select('id').execute(), []);
});

test('a sweep that another process makes at the same instant is made once', async () => {
  const rule = rules.rules[0]?.name ?? '';
  await first.kysely
    .insertInto('rule_clocks')
    .values({ rule, clock: 'sweep', last_at: at(0) })
    .execute();
  const now = new Date();
  await meanwhile(
    (tx) => moveRuleClock(tx.sql, { rule, clock: 'sweep', from: at(0), to: now }),
    (database) =>
      runRuleClocks({
        database,
        rules,
        sources: { koji: quietKoji },
        isStart: false,
        onError: (_rule, error) => assert.fail(String(error)),
      }),
  );
  assert.deepEqual(await first.kysely.selectFrom('events').select('id').execute(), []);
});

test('an overdue window into which another process puts events is closed all the same', async () => {
  const engine = new Engine(first, rules);
  await engine.receive(tagEvent(), at(0));
  const { id } = await first.kysely.selectFrom('settle_windows').select('id').executeTakeFirstOrThrow();
  const now = new Date(Date.now() + 60_000);
  const isClosed = await meanwhile(
    (tx) => lockOpenWindow(tx.sql, 'nightly', '{}'),
    async (database) => {
      const later = atTime(database, now);
      assert.deepEqual(await transaction(later, (tx) => closeDueWindows(tx, 10)), []);
      assert.deepEqual(await findOverdueWindows(database.kysely, now, 10), [id]);
      return transaction(later, (tx) => closeOverdueWindow(tx, id));
    },
  );
  assert.equal(isClosed, true);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, constantFrom, integer, property, record } from 'fast-check';
import type { Priority } from '../../src/model/compose.ts';
import { higherPriority } from '../../src/model/rule.ts';
import {
  openOrExtend,
  type SettleTimes,
  type SettleWindow,
  type WindowEvent,
} from '../../src/rules/settle.ts';

const minute = 60_000;

/** Runs events, in order of receipt, through the window, closing it whenever it is due. */
function run(events: readonly WindowEvent[], times: SettleTimes): SettleWindow[] {
  const closed: SettleWindow[] = [];
  let open: SettleWindow | null = null;
  for (const event of events) {
    if (open !== null && open.dueAt < event.at) {
      closed.push(open);
      open = null;
    }
    const step = openOrExtend(open, event, times);
    if (step.closed !== null) closed.push(step.closed);
    open = step.window;
  }
  return open === null ? closed : [...closed, open];
}

function everyMinute(count: number): WindowEvent[] {
  return Array.from({ length: count }, (_, index) => ({ id: index, at: index * minute, priority: 'normal' }));
}

test('an event a minute for twenty minutes closes at the cap, then after quiet', () => {
  const windows = run(everyMinute(21), { settleMs: 5 * minute, maxWaitMs: 15 * minute });
  assert.deepEqual(
    windows.map((window) => [window.dueAt / 1000, window.causes.length]),
    [
      [900, 16],
      [1500, 5],
    ],
  );
});

test('three quick events close one settle after the last', () => {
  const events = [0, 1000, 2000].map((at, id): WindowEvent => ({ id, at, priority: 'normal' }));
  const [window] = run(events, { settleMs: 300_000, maxWaitMs: 900_000 });
  assert.equal(window?.dueAt, 302_000);
});

test('settle 0s is due at once', () => {
  const { window } = openOrExtend(null, { id: 1, at: 5, priority: 'bulk' }, { settleMs: 0, maxWaitMs: 0 });
  assert.equal(window.dueAt, 5);
});

test('the same event twice counts once and does not move the deadline', () => {
  const times = { settleMs: 100, maxWaitMs: 1000 };
  const first = openOrExtend(null, { id: 1, at: 0, priority: 'normal' }, times).window;
  const again = openOrExtend(first, { id: 1, at: 90, priority: 'normal' }, times).window;
  assert.deepEqual(again, first);
});

test('an event after the due time opens the next window even when nobody closed the first', () => {
  const times = { settleMs: 100, maxWaitMs: 1000 };
  const first = openOrExtend(null, { id: 1, at: 0, priority: 'normal' }, times).window;
  const step = openOrExtend(first, { id: 2, at: 101, priority: 'bulk' }, times);
  assert.deepEqual(step.closed, first);
  assert.deepEqual(step.window.causes, [2]);
});

const timesOf = record({ settleMs: integer({ min: 0, max: 50 }), extra: integer({ min: 0, max: 200 }) });
const eventsOf = array(
  record({
    gap: integer({ min: 0, max: 60 }),
    priority: constantFrom<Priority>('security', 'normal', 'bulk'),
  }),
  { minLength: 1, maxLength: 40 },
);

test('windows are those of the reference: split the receipts, in order, wherever a gap or the cap ends one', () => {
  check(
    property(timesOf, eventsOf, ({ settleMs, extra }, gaps) => {
      const times = { settleMs, maxWaitMs: settleMs + extra };
      let clock = 0;
      const events = gaps.map(({ gap, priority }, id): WindowEvent => {
        clock += gap;
        return { id, at: clock, priority };
      });
      const reference: WindowEvent[][] = [];
      for (const event of events) {
        const last = reference.at(-1);
        const first = last?.[0];
        const before = last?.at(-1);
        const joins =
          last !== undefined &&
          first !== undefined &&
          before !== undefined &&
          event.at - before.at <= settleMs &&
          event.at - first.at <= times.maxWaitMs;
        if (joins) last.push(event);
        else reference.push([event]);
      }
      assert.deepEqual(
        run(events, times).map(({ causes, priority }) => ({ causes, priority })),
        reference.map((group) => ({
          causes: group.map(({ id }) => id),
          priority: group.map((event) => event.priority).reduce(higherPriority),
        })),
      );
    }),
    { numRuns: 500 },
  );
});

test('within one window the order of arrival does not matter', () => {
  const shuffled = array(record({ at: integer({ min: 0, max: 100 }), key: integer() }), {
    minLength: 1,
    maxLength: 15,
  });
  check(
    property(shuffled, (list) => {
      const times = { settleMs: 200, maxWaitMs: 400 };
      const events = list.map(({ at, key }, id) => ({ event: { id, at, priority: 'normal' as const }, key }));
      const inOrder = events.map(({ event }) => event);
      const mixed = events.toSorted((left, right) => left.key - right.key).map(({ event }) => event);
      const fold = (all: readonly WindowEvent[]): SettleWindow | null =>
        all.reduce<SettleWindow | null>((open, event) => openOrExtend(open, event, times).window, null);
      assert.deepEqual(fold(mixed), fold(inOrder));
    }),
  );
});

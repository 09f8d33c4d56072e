import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Keep } from '../../src/model/keep.ts';
import { composesToKeep, type DoneCompose } from '../../src/series/composes-to-keep.ts';

const DAY = 86_400_000;
const nothing: Keep = { last: null, dailyMs: null, weeklyMs: null };
const at = (text: string): Date => new Date(text);

function idsOf(history: readonly DoneCompose[], keep: Partial<Keep>, now: Date): number[] {
  return [...composesToKeep(history, { ...nothing, ...keep }, now).keys()].sort((a, b) => a - b);
}

test('the newest compose is kept whatever is said', () => {
  const history = [1, 2, 3].map((id) => ({ id, doneAt: at('2020-01-01T00:00:00Z') }));
  assert.deepEqual(idsOf(history, {}, at('2026-11-29T00:00:00Z')), [3]);
  assert.deepEqual(idsOf([], { last: 10 }, at('2026-11-29T00:00:00Z')), []);
});

test('of each day and each ISO week the last one is kept, as far back as is said', () => {
  const history = [
    { id: 1, doneAt: at('2026-11-15T23:00:00Z') }, // Sunday
    { id: 2, doneAt: at('2026-11-16T00:00:00Z') }, // Monday
    { id: 3, doneAt: at('2026-11-22T12:00:00Z') }, // Sunday of the same week
    { id: 4, doneAt: at('2026-11-29T08:00:00Z') },
    { id: 5, doneAt: at('2026-11-29T09:00:00Z') },
  ];
  const now = at('2026-11-29T10:00:00Z');
  assert.deepEqual(idsOf(history, { dailyMs: 8 * DAY }, now), [3, 5]);
  assert.deepEqual(idsOf(history, { weeklyMs: 365 * DAY }, now), [1, 3, 5]);
  assert.deepEqual(idsOf(history, { last: 2 }, now), [4, 5]);
  assert.deepEqual(
    composesToKeep(history, { last: 1, dailyMs: DAY, weeklyMs: DAY }, now),
    new Map([[5, ['latest', 'last', 'daily', 'weekly']]]),
  );
});

const times = fc.integer({ min: 0, max: 100 * DAY });
/** Ids in the order composes were asked for; they end in about that order. */
const histories = fc
  .array(times, { maxLength: 60 })
  .map((list) =>
    list.sort((a, b) => a - b).map((time, index) => ({ id: index + 1, doneAt: new Date(time) })),
  );
const spans = fc.option(fc.integer({ min: 1, max: 90 }).map((days) => days * DAY));
const keeps = fc.record({
  last: fc.option(fc.integer({ min: 1, max: 20 })),
  dailyMs: spans,
  weeklyMs: spans,
});

test('what was removed because it was not kept would never have been kept later', () => {
  fc.assert(
    fc.property(histories, keeps, times, times, (history, keep, moment, other) => {
      const [earlier, later] = [new Date(Math.min(moment, other)), new Date(Math.max(moment, other))];
      const known = history.filter(({ doneAt }) => doneAt <= earlier);
      const kept = composesToKeep(known, keep, earlier);
      const gone = new Set(known.flatMap(({ id }) => (kept.has(id) ? [] : [id])));
      const left = history.filter(({ id }) => !gone.has(id));
      assert.deepEqual([...composesToKeep(left, keep, later)], [...composesToKeep(history, keep, later)]);
    }),
  );
});

test('the order of the history changes nothing, and no more is kept than the reasons allow', () => {
  fc.assert(
    fc.property(histories, keeps, times, (history, keep, time) => {
      const now = new Date(time);
      const kept = composesToKeep(history, keep, now);
      assert.deepEqual([...composesToKeep(history.toReversed(), keep, now)], [...kept]);
      const most = 1 + (keep.last ?? 0) + (keep.dailyMs ?? 0) / DAY + 1 + (keep.weeklyMs ?? 0) / DAY / 7 + 1;
      const past = history.filter(({ doneAt }) => doneAt <= now);
      assert.ok(composesToKeep(past, keep, now).size <= most);
      if (history.length > 0) assert.ok(kept.has(history.length));
    }),
  );
});

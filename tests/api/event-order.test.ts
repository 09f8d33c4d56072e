import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseInOrder, type EventOrder } from '../../src/api/event-order.ts';
import type { EventLook, EventSummary } from '../../src/database/list-events.ts';

function event(id: number): EventSummary {
  const at = new Date(0);
  return {
    id,
    bus: 'b',
    message_id: String(id),
    topic: 't',
    raw_topic: 't',
    received_at: at,
    sent_at: null,
    producer: null,
    instance: 'i',
    kind: null,
    event: null,
    reason: null,
    matched_at: null,
  };
}

interface Seen {
  readonly ids: readonly number[];
  /** Transactions below have ended, none from `next` on has begun. */
  readonly running: number;
  readonly next: number;
  readonly at?: number;
}

/** What each of several looks releases. */
function follow(last: number, looks: readonly Seen[]): number[][] {
  let order: EventOrder = { last, marks: [] };
  return looks.map(({ ids, running, next, at = 0 }) => {
    const events = ids.filter((id) => id > order.last).map(event);
    const look: EventLook = { events, oldestRunning: BigInt(running), nextTransaction: BigInt(next) };
    const decided = releaseInOrder(order, look, at);
    order = decided.order;
    return decided.released.map(({ id }) => id);
  });
}

test('numbers without a gap are released at once', () => {
  assert.deepEqual(
    follow(10, [
      { ids: [11, 12], running: 5, next: 5 },
      { ids: [11, 12, 13], running: 6, next: 6 },
    ]),
    [[11, 12], [13]],
  );
});

test('an event that commits late comes before those with greater numbers', () => {
  assert.deepEqual(
    follow(9, [
      { ids: [11], running: 100, next: 102 },
      { ids: [11], running: 100, next: 102 },
      { ids: [10, 11], running: 102, next: 102 },
    ]),
    [[], [], [10, 11]],
  );
});

test('a gap ends when every transaction that can have had it has ended', () => {
  assert.deepEqual(
    follow(9, [
      { ids: [11], running: 100, next: 102 },
      { ids: [11, 12], running: 100, next: 103 },
      { ids: [11, 12], running: 102, next: 104 },
      { ids: [11, 12], running: 103, next: 104 },
      { ids: [11, 12, 13], running: 104, next: 104 },
    ]),
    [[], [], [], [11, 12], [13]],
  );
});

test('a number given out before its transaction had one is waited for', () => {
  // 10 was given out, but transaction 102 appears only in the next look.
  assert.deepEqual(
    follow(9, [
      { ids: [11], running: 102, next: 102 },
      { ids: [11], running: 102, next: 103 },
      { ids: [10, 11], running: 103, next: 103 },
    ]),
    [[], [], [10, 11]],
  );
});

test('a transaction that runs for minutes holds nothing up longer than one', () => {
  assert.deepEqual(
    follow(9, [
      { ids: [11], running: 100, next: 102 },
      { ids: [11], running: 100, next: 102, at: 59_000 },
      { ids: [11], running: 100, next: 102, at: 60_000 },
    ]),
    [[], [], [11]],
  );
});

// Runs once: nothing here asks a database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredEvent } from '../../src/database/input-events.ts';
import { backtestRule } from '../../src/rules/backtest.ts';
import { ticksBetween } from '../../src/rules/schedule.ts';
import { drawTimeline } from '../../src/rules/timeline.ts';
import { readRule, ruleText } from './rule-text.ts';

const week = { from: new Date('2026-03-02T00:00:00Z'), to: new Date('2026-03-08T23:00:00Z') };
const nightly = readRule(ruleText('- schedule: 0 3 * * *'));

function tagged(id: number, tag: string, receivedAt: string): StoredEvent {
  return {
    id,
    stage: 'match',
    ruleSet: null,
    trace: null,
    input: {
      bus: 'webhook',
      messageId: String(id),
      topic: 'koji.tag',
      rawTopic: 'koji.tag',
      receivedAt,
      sentAt: receivedAt,
      producer: null,
      instance: 'fedora',
      event: { kind: 'koji.tag', tag, package: 'vim', nvr: 'vim-1-1', side_tag: false },
    },
  };
}

test('ticks are those of all schedules in order, ends included, each once', () => {
  const ticks = ticksBetween(
    ['0 3 * * *', '0 3,5 * * mon'],
    { from: new Date('2026-03-02T03:00:00Z'), to: new Date('2026-03-03T03:00:00Z') },
    100,
  );
  assert.deepEqual(
    ticks.map((tick) => tick.toISOString().slice(5, 16)),
    ['03-02T03:00', '03-02T05:00', '03-03T03:00'],
  );
  assert.equal(ticksBetween(['* * * * *'], week, 50).length, 50);
});

test('a rule that follows the clock shows a window for each night, and what it would ask', () => {
  const result = backtestRule(nightly, [], week);
  assert.deepEqual([result.events, result.ticks, result.windows.length], [0, 7, 7]);
  assert.deepEqual(
    result.windows.map(({ outcome }) => outcome),
    ['asks', 'repeats', 'repeats', 'repeats', 'repeats', 'repeats', 'repeats'],
  );
  const [first] = result.windows;
  assert.deepEqual([first?.openedAt, first?.causes, first?.ticks], ['2026-03-02T03:00:00.000Z', [], 1]);
  assert.match(drawTimeline(nightly, result), /2026-03-02T03:00:00Z .*1 tick: asks\n/);
});

test('without a period nothing ticks', () => {
  assert.equal(backtestRule(nightly, []).windows.length, 0);
});

test('ticks of a grouped rule concern the groups that are known by then', () => {
  const rule = readRule(
    ruleText("- event: koji.tag\n  match: { tag: 'f4*' }\n- schedule: 0 3 * * *", 'group_by: [tag]\n'),
  );
  const events = [tagged(1, 'f44', '2026-03-03T12:00:00Z'), tagged(2, 'f45', '2026-03-05T12:00:00Z')];
  const { windows } = backtestRule(rule, events, week);
  const ofTicks = (tag: string) =>
    windows
      .filter(({ group, ticks }) => group['tag'] === tag && ticks > 0)
      .map(({ openedAt }) => openedAt.slice(8, 10));
  assert.deepEqual(ofTicks('f44'), ['04', '05', '06', '07', '08']);
  assert.deepEqual(ofTicks('f45'), ['06', '07', '08']);
});

test('a tick and a message of one settle window are one window', () => {
  const rule = readRule(
    ruleText('- event: koji.tag\n  match: { tag: f44 }\n- schedule: 0 3 * * *', 'settle: 10m\n'),
  );
  const [window] = backtestRule(rule, [tagged(1, 'f44', '2026-03-02T03:05:00Z')], {
    from: week.from,
    to: new Date('2026-03-02T04:00:00Z'),
  }).windows;
  assert.deepEqual([window?.ticks, window?.causes], [1, [1]]);
});

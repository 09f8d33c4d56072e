import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processHealth } from '../../src/app/process-health.ts';
import { createDatabaseClock } from '../../src/database/database-clock.ts';

const MINUTE = 60_000;
const now = new Date('2026-11-22T08:00:00Z');
const machine = (offMs: number) => ({ now: () => new Date(now.getTime() + offMs) });

for (const minutes of [-10, 10]) {
  test(`a machine whose clock is ${minutes} minutes off shows the time of the database`, () => {
    const clock = createDatabaseClock(machine(minutes * MINUTE));
    clock.learn({ askedAt: machine(minutes * MINUTE).now(), tookMs: 4, now });
    assert.ok(Math.abs(clock.now().getTime() - now.getTime()) <= 2);
    assert.ok(Math.abs(clock.skewMs - minutes * MINUTE) <= 2);
  });
}

test('an answer that took long changes nothing that is known', () => {
  const clock = createDatabaseClock(machine(0));
  clock.learn({ askedAt: now, tookMs: 2, now });
  clock.learn({ askedAt: now, tookMs: 20_000, now });
  assert.ok(Math.abs(clock.skewMs) <= 2);
});

test('a machine whose clock is off by more than two seconds is told of in health', () => {
  const part = (skewMs: number) =>
    processHealth({ clock: { skewMs }, jobs: { complaints: [] } }).find(({ name }) => name === 'clock');
  assert.equal(part(1_900)?.isWell, true);
  assert.equal(part(-1_900)?.isWell, true);
  assert.equal(part(2_100)?.isWell, false);
  assert.match(part(600_000)?.detail ?? '', /600\.0 seconds ahead of the database's/);
  assert.match(part(-600_000)?.detail ?? '', /600\.0 seconds behind the database's/);
});

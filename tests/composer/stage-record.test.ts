// Runs once: no database decides what is noted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageRecord } from '../../src/composer/stage-record.ts';
import { instrument, outsideTrace, withStageNotes } from '../../src/instrument.ts';

function recordAt(): { readonly record: StageRecord; readonly clock: { ms: number } } {
  const clock = { ms: 5_000 };
  return { record: new StageRecord(new Date('2026-11-30T10:00:00Z'), () => clock.ms), clock };
}

test('a record tells when each stage began and ended, and that one goes on', async () => {
  const { record, clock } = recordAt();
  const { promise: placed, resolve: place } = Promise.withResolvers<void>();
  await withStageNotes(record, async () => {
    await instrument('plan', {}, async () => void (clock.ms += 200));
    const placing = instrument('place', {}, () => placed);
    clock.ms += 30;
    await instrument('repodata', {}, async () => void (clock.ms += 70));
    assert.deepEqual(record.times({ isEnd: false }), {
      begun: '2026-11-30T10:00:00.000Z',
      stages: [
        { stage: 'plan', from: 0, to: 200, isFailed: false },
        { stage: 'place', from: 200, to: null, isFailed: false },
        { stage: 'repodata', from: 230, to: 300, isFailed: false },
      ],
    });
    place();
    await placing;
  });
  assert.equal(record.times({ isEnd: false })?.stages[1]?.to, 300);
});

test('stages of one name are one, from the first beginning to the last end, and it failed where one did', async () => {
  const { record, clock } = recordAt();
  await withStageNotes(record, async () => {
    await instrument('plan.read', { arch: 'x86_64' }, async () => void (clock.ms += 10));
    clock.ms += 5;
    await assert.rejects(
      instrument('plan.read', { arch: 'aarch64' }, async () => {
        clock.ms += 10;
        throw new Error('no repository');
      }),
    );
  });
  assert.deepEqual(record.times({ isEnd: true })?.stages, [
    { stage: 'plan.read', from: 0, to: 25, isFailed: true },
  ]);
});

test('what goes on when a compose ends, ends with it', () => {
  const { record, clock } = recordAt();
  record.begin('publish');
  clock.ms += 40;
  assert.equal(record.times({ isEnd: true })?.stages[0]?.to, 40);
  assert.equal(record.times({ isEnd: false })?.stages[0]?.to, null);
});

test("work that serves others too is nobody's stage", async () => {
  const { record } = recordAt();
  await withStageNotes(record, () => outsideTrace(() => instrument('plan.index', {}, async () => undefined)));
  assert.equal(record.times({ isEnd: true }), null);
});

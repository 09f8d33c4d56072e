import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { givenCompose } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const second = (seconds: number): Date => new Date(api.now.getTime() + seconds * 1000);
const begun = { time_started: second(-90) };
const stages = (
  ...list: readonly (readonly [stage: string, to: number | null, isFailed?: boolean])[]
): string =>
  JSON.stringify({
    begun: second(-90).toISOString(),
    stages: list.map(([stage, to, isFailed = false], at) => ({ stage, from: at * 1000, to, isFailed })),
  });

/** What the log says of a compose: level and text of each line, and its seconds before now where it has a time. */
async function logOf(row: Parameters<typeof givenCompose>[1]): Promise<unknown[]> {
  const id = await givenCompose(api, { owner: 'osbs', time_submitted: second(-90), ...row });
  const { json } = await api.call('GET', `/api/1/composes/${id}/log`);
  const lines = json['lines'];
  assert.ok(Array.isArray(lines));
  return lines.map(({ at, level, text }) => [
    level,
    text,
    at === null ? null : (Date.parse(at) - api.now.getTime()) / 1000,
  ]);
}

const asked = ['info', 'osbs asked for tag f26', -90];

test('a stage that goes on has begun and has not ended', async () => {
  assert.deepEqual(
    await logOf({ ...begun, state: 'generating', stages: stages(['plan', 1000], ['place', null]) }),
    [
      asked,
      ['info', 'plan: begun', -90],
      ['info', 'plan: ended after 1.0 s', -89],
      ['info', 'place packages: begun', -89],
    ],
  );
});

test('a compose that failed ends with the stage that failed and the reason, both errors', async () => {
  assert.deepEqual(
    await logOf({
      ...begun,
      state: 'failed',
      state_reason: 'The disk is full.',
      time_done: second(-88),
      stages: stages(['plan', 1000], ['place', 2000, true]),
    }),
    [
      asked,
      ['info', 'plan: begun', -90],
      ['info', 'plan: ended after 1.0 s', -89],
      ['info', 'place packages: begun', -89],
      ['error', 'place packages: failed after 1.0 s', -88],
      ['error', 'failed: The disk is full.', -88],
    ],
  );
});

test('a compose that failed before it was begun says so without a time', async () => {
  assert.deepEqual(await logOf({ state: 'failed', state_reason: 'Canceled by osbs' }), [
    asked,
    ['error', 'failed: Canceled by osbs', null],
  ]);
});

test('one that is done has warnings before its end, and is removed by somebody', async () => {
  assert.deepEqual(
    await logOf({
      ...begun,
      state: 'removed',
      state_reason: 'Removed.',
      time_done: second(-60),
      removed_by: 'alice',
      time_removed: second(-1),
      warnings: JSON.stringify(['bash is not signed']),
      stages: stages(['plan', 1000]),
    }),
    [
      asked,
      ['info', 'plan: begun', -90],
      ['info', 'plan: ended after 1.0 s', -89],
      ['warning', 'bash is not signed', null],
      ['info', 'ended', -60],
      ['info', 'removed by alice', -1],
    ],
  );
});

test('one that waits again has no end, though an earlier one was noted', async () => {
  assert.deepEqual(await logOf({ state: 'wait', time_done: second(-60) }), [
    asked,
    ['info', 'waits for a composer: begun', -90],
  ]);
});

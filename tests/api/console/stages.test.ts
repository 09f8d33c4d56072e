import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { exactSpan, stageBars } from '../../../src/api/stage-bars.ts';
import { findCompose } from '../../../src/database/composes.ts';
import { changeCompose, givenCompose } from '../compose-rows.ts';
import { openTestApi } from '../open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const minute = (minutes: number): Date => new Date(api.now.getTime() + minutes * 60_000);
const stages = (list: readonly object[]): string =>
  JSON.stringify({ begun: minute(-2).toISOString(), stages: list });
const planned = { stage: 'plan', from: 0, to: 11_400, isFailed: false };

test('a compose that is being made shows each stage with how long it took, and what goes on, live', async () => {
  const id = await givenCompose(api, {
    state: 'generating',
    time_submitted: minute(-3),
    time_started: minute(-2),
    stages: stages([planned, { stage: 'repodata', from: 11_500, to: null, isFailed: false }]),
  });
  const { text } = await api.call('GET', `/console/composes/${id}`);
  assert.match(text, /id="stages" data-live="2"/);
  const words = text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  assert.match(words, /waits for a composer 0 60 s plan 60 s 11\.4 s write repodata 72 s 2 min going on/);
});

test('of a compose that has ended nothing goes on, and the stage that failed says so', async () => {
  const id = await givenCompose(api, {
    state: 'failed',
    state_reason: 'No such tag.',
    time_submitted: minute(-2),
    time_started: minute(-2),
    stages: stages([{ ...planned, isFailed: true }]),
  });
  const { text } = await api.call('GET', `/console/composes/${id}`);
  assert.match(text, /11\.4 s <span class="bad">failed<\/span>/);
  assert.doesNotMatch(text, /data-live/);
});

test('where no stages were kept, what was waited and what was worked is shown', async () => {
  const id = await givenCompose(api, {
    time_submitted: minute(-9),
    time_started: minute(-7),
    time_done: minute(-2),
    state: 'done',
  });
  const compose = (await findCompose(api.database.kysely, id)) ?? assert.fail('there is no compose');
  const bars = stageBars(compose, null, api.now).map(({ words, from, to }) => [words, to - from]);
  assert.deepEqual(bars, [
    ['waits for a composer', 120_000],
    ['is made', 300_000],
  ]);
});

test('a stage whose end nobody noted ends with its compose', async () => {
  const id = await givenCompose(api, {
    time_submitted: minute(-2),
    time_started: minute(-2),
    time_done: minute(-1),
    state: 'done',
  });
  const compose = (await findCompose(api.database.kysely, id)) ?? assert.fail('there is no compose');
  const times = {
    begun: minute(-2).toISOString(),
    stages: [{ stage: 'publish', from: 50_000, to: null, isFailed: false }],
  };
  const [bar] = stageBars(compose, times, api.now);
  assert.deepEqual([bar?.state, (bar?.to ?? 0) - (bar?.from ?? 0)], ['', 10_000]);
});

test('a compose that waits shows how long it waits; one that nobody took has no bars after its end', async () => {
  const id = await givenCompose(api, { time_submitted: minute(-5) });
  const waiting = (await findCompose(api.database.kysely, id)) ?? assert.fail('there is no compose');
  assert.deepEqual(
    stageBars(waiting, null, api.now).map(({ words, state }) => [words, state]),
    [['waits for a composer', 'going on']],
  );
  await changeCompose(api, id, { state: 'failed' });
  const cancelled = (await findCompose(api.database.kysely, id)) ?? assert.fail('there is no compose');
  assert.deepEqual(stageBars(cancelled, null, api.now), []);
});

test('short spans are told to the millisecond', () => {
  assert.deepEqual([0, 38, 4_210, 26_400, 600_000].map(exactSpan), ['0', '38 ms', '4.2 s', '26 s', '10 min']);
});

test('the overview draws the stages of what is being made, and says them in words', async () => {
  const id = await givenCompose(api, {
    state: 'generating',
    time_started: new Date(api.now.getTime() - 50_000),
    stages: JSON.stringify({
      begun: new Date(api.now.getTime() - 50_000).toISOString(),
      stages: [
        { stage: 'plan', from: 0, to: 10_000, isFailed: false },
        { stage: 'plan.read', from: 0, to: 5_000, isFailed: false },
        { stage: 'repodata', from: 10_000, to: null, isFailed: false },
      ],
    }),
  });
  const { text } = await api.call('GET', '/');
  const [, row = ''] = text.split(`/console/composes/${id}"`);
  const [strip = ''] = /<svg\s+class="stages"[^]*?<\/div>/.exec(row) ?? [];
  assert.equal(strip.match(/<rect /g)?.length, 2, 'parts of stages are none of their own');
  assert.match(strip, /class="fill-good" x="0"[^]*class="fill-busy" x="200"/);
  assert.match(strip, /plan 10\.0 s, write repodata for 40 s/);
});

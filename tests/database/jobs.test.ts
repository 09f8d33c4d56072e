import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { until } from '../listeners/listening.ts';
import { HIGHEST_AGED } from '../../src/database/job-queues.ts';
import { openTestDatabase } from './open-test-database.ts';

const database = await openTestDatabase();
after(() => database.close());

test('a crowd of jobs that came at once is handled without a pause between them', async () => {
  const crowd = 60;
  const handled: number[] = [];
  let running = 0;
  let most = 0;
  await database.jobs.work('window.close', {
    concurrency: 2,
    handleJob: async ({ windowId }) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      handled.push(windowId);
      running -= 1;
    },
    onError: (_name, _data, error) => assert.fail(String(error)),
  });
  const ids = Array.from({ length: crowd }, (_none, at) => at);
  await database.jobs.sendAll(
    'window.close',
    ids.map((windowId) => ({ windowId })),
  );
  // With a look every second at best, as where nobody calls, it would take the two of them thirty.
  await until(() => handled.length >= crowd, 'every job of the crowd', 20);
  assert.deepEqual(
    handled.toSorted((left, right) => left - right),
    ids,
  );
  assert.ok(most <= 2);
});

test('an urgent job begins while every other place is taken for long, and no other job does', async () => {
  const begun: number[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  await database.jobs.work('request.run', {
    concurrency: 2,
    urgentPlaces: 1,
    handleJob: async ({ requestId }) => {
      begun.push(requestId);
      await ended;
    },
    onError: (_name, _data, error) => assert.fail(String(error)),
  });
  const send = (requestId: number, priority: 'security' | 'normal' | 'bulk') =>
    database.jobs.send('request.run', { requestId }, { priority, key: String(requestId) });
  for (const id of [1, 2, 3]) await send(id, 'bulk');
  await until(() => begun.length === 2, 'both places are taken');
  await send(4, 'normal');
  await database.jobs.prioritise('request.run', '3', HIGHEST_AGED);
  const before = performance.now();
  await send(5, 'security');
  await until(() => begun.length === 3, 'the urgent job', 10);
  assert.deepEqual(begun.slice(2), [5]);
  assert.ok(performance.now() - before < 2_000);
  end();
  await until(() => begun.length === 5, 'the others');
  assert.deepEqual(begun.slice(3), [3, 4]);
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { until } from '../listeners/listening.ts';
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

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { FINISHED_KEPT_SECONDS } from '../../src/database/job-queues.ts';
import { openTestDatabase } from './open-test-database.ts';

const database = await openTestDatabase();
after(() => database.close());

async function listMatching(): Promise<readonly string[]> {
  const { rows } = await sql<{ state: string }>`
    select state::text from pgboss.job where name = 'event.match' order by created_on`.execute(
    database.kysely,
  );
  return rows.map(({ state }) => state);
}

test('a finished job is forgotten after its time, and one that finished lately is kept', async () => {
  const handled = Promise.withResolvers<void>();
  let count = 0;
  await database.jobs.work('event.match', {
    concurrency: 1,
    handleJob: async () => {
      if (++count === 2) handled.resolve();
    },
    onError: () => assert.fail('a job failed'),
  });
  await database.jobs.sendAll('event.match', [{ eventId: 1 }, { eventId: 2 }]);
  await handled.promise;
  while ((await listMatching()).some((state) => state !== 'completed')) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // The queue's own bookkeeping: one of the two finished too long ago, and forgetting is due.
  await sql`update pgboss.job set completed_on = now() - make_interval(secs => ${FINISHED_KEPT_SECONDS + 60})
    where id = (select id from pgboss.job where name = 'event.match' limit 1)`.execute(database.kysely);
  await sql`update pgboss.queue set maintain_on = null`.execute(database.kysely);
  while ((await listMatching()).length > 1) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(await listMatching(), ['completed']);
});

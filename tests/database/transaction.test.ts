import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { transaction } from '../../src/database/transaction.ts';
import { openTestDatabase } from './open-test-database.ts';

const database = await openTestDatabase();
after(() => database.close());

test('a statement that goes round its transaction throws instead of waiting for ever', async () => {
  await transaction(database, async () => {
    await assert.rejects(
      database.kysely.selectFrom('composes').select('id').execute(),
      /only its own unit of work/,
    );
    await assert.rejects(database.jobs.send('announcements.publish', {}), /only its own unit of work/);
    await assert.rejects(
      transaction(database, async () => undefined),
      /only its own unit of work/,
    );
  });
});

test('a job sent in a transaction exists only if the transaction commits', async () => {
  const seen: number[] = [];
  const arrived = Promise.withResolvers<void>();
  await database.jobs.work('event.match', {
    concurrency: 1,
    handleJob: async ({ eventId }) => {
      seen.push(eventId);
      arrived.resolve();
    },
    onError: (_name, _data, error) => arrived.reject(error),
  });
  await assert.rejects(
    transaction(database, async (tx) => {
      await tx.send('event.match', { eventId: 1 });
      throw new Error('changed my mind');
    }),
    /changed my mind/,
  );
  await transaction(database, async (tx) => {
    await tx.send('event.match', { eventId: 2 });
  });
  await arrived.promise;
  assert.deepEqual(seen, [2]);
});

test('three transactions at once all commit', async () => {
  const insert = (name: string): Promise<void> =>
    transaction(database, async (tx) => {
      await tx.sql
        .insertInto('manifests')
        .values({ fingerprint: name, lines: Buffer.from(name), line_count: 1, created_at: new Date(0) })
        .execute();
    });
  await Promise.all(['a', 'b', 'c'].map(insert));
  const rows = await database.kysely
    .selectFrom('manifests')
    .select('fingerprint')
    .orderBy('fingerprint')
    .execute();
  assert.deepEqual(
    rows.map((row) => row.fingerprint),
    ['a', 'b', 'c'],
  );
});

test('a job that failed is tried again, and knows it', async () => {
  const attempts: number[] = [];
  const over = Promise.withResolvers<void>();
  await database.jobs.work('window.close', {
    concurrency: 1,
    handleJob: async (_data, attempt) => {
      attempts.push(attempt.number);
      if (attempt.number === 1) throw new Error('not yet');
      over.resolve();
    },
    onError: () => undefined,
  });
  await database.jobs.send('window.close', { windowId: 1 });
  await over.promise;
  assert.deepEqual(attempts, [1, 2]);
});

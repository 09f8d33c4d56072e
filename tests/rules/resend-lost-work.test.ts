import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { resendLostWork } from '../../src/rules/resend-lost-work.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { storeEvent } from './engine.ts';
import { tagEvent } from './input-event.ts';

const database = await openTestDatabase();
after(() => database.close());

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

test('a backlog is not sent again: events that have a job are no loss, however long they wait', async () => {
  for (const stage of ['match', 'enrich'] as const) {
    const id = await storeEvent(database, tagEvent(), minutesAgo(10));
    await database.kysely.updateTable('events').set({ stage }).where('id', '=', id).execute();
    await database.jobs.send(`event.${stage}`, { eventId: id });
  }
  assert.equal(await resendLostWork(database), 0);
});

test('what waits without a job is sent to the queue of its stage, unless it is young or long past', async () => {
  await using other = await openTestDatabase();
  for (const [stage, minutes] of [
    ['match', 10],
    ['enrich', 10],
    ['enrich', 20],
    ['match', 1],
    ['match', 2 * 1440],
    ['done', 10],
  ] as const) {
    const id = await storeEvent(other, tagEvent(), minutesAgo(minutes));
    await other.kysely.updateTable('events').set({ stage }).where('id', '=', id).execute();
  }
  assert.equal(await resendLostWork(other), 3);
});

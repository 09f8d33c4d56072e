import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startEnriching } from '../../src/listeners/start-enriching.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { storeEvent } from '../rules/engine.ts';
import { tagEvent } from '../rules/input-event.ts';
import { openInbox, silentLog, until } from './listening.ts';

const database = await openTestDatabase();
const inbox = openInbox(database, { needsEnrichment: ({ kind }) => kind === 'koji.tag' });
after(async () => {
  await inbox.close();
  await database.jobs.stop();
  await database.close();
});

let answer: () => Promise<readonly string[]> = async () => ['f44', 'f44-build'];
await startEnriching({
  database,
  log: silentLog,
  sources: { koji: { tagsFedBy: () => answer(), binaryNames: async () => new Map() } },
});

async function eventOf(id: number) {
  return database.kysely
    .selectFrom('events')
    .select(['event', 'stage'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
}

/** Stores an event that lacks what Koji knows, with its job. */
async function receiveIncomplete(): Promise<number> {
  const id = await storeEvent(database, tagEvent({ tag: 'f44' }), new Date());
  await database.kysely.updateTable('events').set({ stage: 'enrich' }).where('id', '=', id).execute();
  await database.jobs.send('event.enrich', { eventId: id });
  return id;
}

test('the inbox says of each event whether it is to be completed, matched or nothing', async () => {
  const receive = async (rawTopic: string, body: string) => {
    const { id } = await inbox.receive({
      bus: 'fedora-messaging',
      rawTopic: `org.fedoraproject.prod.${rawTopic}`,
      headers: {},
      body: Buffer.from(body),
      contentEncoding: null,
      messageId: rawTopic,
      sentAt: null,
      producer: null,
    });
    return (await eventOf(id ?? 0)).stage;
  };
  const signed = { sigkey: 'f5d95b82', build: { nvr: 'ed-1-1', name: 'ed', version: '1', release: '1' } };
  answer = () => Promise.reject(new ReactorError('upstream.unreachable', 'Koji is away.', { fate: 'retry' }));
  assert.equal(
    await receive('buildsys.tag', '{"tag":"f44","name":"ed","version":"1","release":"1"}'),
    'enrich',
  );
  assert.equal(await receive('buildsys.rpm.sign', JSON.stringify(signed)), 'match');
  assert.equal(await receive('buildsys.unknown', '{}'), 'done');
  assert.equal(await receive('buildsys.untag', 'no JSON'), 'done');
});

test('an event is matched only once it is complete', async () => {
  answer = async () => ['f44', 'f44-build'];
  const id = await receiveIncomplete();
  await until(async () => (await eventOf(id)).stage === 'match', 'the event is complete');
  const { event } = await eventOf(id);
  assert.ok(event?.kind === 'koji.tag');
  assert.deepEqual(event.feeds, ['f44', 'f44-build']);
});

test('an event whose source answers what will never be right goes on as it came', async () => {
  answer = () => Promise.reject(new ReactorError('koji.answer_unexpected', 'Strange.'));
  const id = await receiveIncomplete();
  await until(async () => (await eventOf(id)).stage === 'match', 'the event goes on');
  const { event } = await eventOf(id);
  assert.ok(event?.kind === 'koji.tag' && event.feeds === undefined);
});

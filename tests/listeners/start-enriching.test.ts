import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { startEnriching } from '../../src/listeners/start-enriching.ts';
import { markCompleted } from '../../src/database/input-events.ts';
import type { DomainEvent } from '../../src/model/event.ts';
import type { Bodhi } from '../../src/upstream/bodhi.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { transaction } from '../../src/database/transaction.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { storeEvent } from '../rules/engine.ts';
import { tagEvent, updateEvent } from '../rules/input-event.ts';
import { openInbox, silentLog, until } from './listening.ts';

const database = await openTestDatabase();
const inbox = openInbox(database, { needsEnrichment: ({ kind }) => kind === 'koji.tag' });
after(async () => {
  await inbox.close();
  await database.jobs.stop();
  await database.close();
});

let answer: (tag: string) => Promise<readonly string[]> = async () => ['f44', 'f44-build'];
let updateOf: Bodhi['getUpdate'] = async () => null;
await startEnriching({
  database,
  log: silentLog,
  sources: {
    koji: { tagsFedBy: (tag) => answer(tag), binaryNames: async () => new Map() },
    bodhi: { getUpdate: (alias) => updateOf(alias), async *listPushed() {} },
  },
});

async function eventOf(id: number) {
  return database.kysely
    .selectFrom('events')
    .select(['event', 'stage'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
}

/** Stores an event that lacks what its source knows. */
async function storeIncomplete(event: DomainEvent): Promise<number> {
  const id = await storeEvent(database, event, new Date());
  await database.kysely.updateTable('events').set({ stage: 'enrich' }).where('id', '=', id).execute();
  return id;
}

/** Stores an event that lacks what Koji knows, with its job. */
async function receiveIncomplete(): Promise<number> {
  const id = await storeIncomplete(tagEvent({ tag: 'f44' }));
  await database.jobs.send('event.enrich', { eventId: id });
  return id;
}

/** Stores events with jobs that one worker takes together. */
async function receiveTogether(events: readonly DomainEvent[]): Promise<number[]> {
  const ids: number[] = [];
  for (const event of events) ids.push(await storeIncomplete(event));
  await database.jobs.sendAll(
    'event.enrich',
    ids.map((eventId) => ({ eventId })),
  );
  return ids;
}

async function countActive(): Promise<number> {
  const { rows } = await sql`
    select from pgboss.job where name = 'event.enrich' and state = 'active'`.execute(database.kysely);
  return rows.length;
}

const stagesOf = (ids: readonly number[]): Promise<string[]> =>
  Promise.all(ids.map(async (id) => (await eventOf(id)).stage));

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

test('of a crowd those are completed whose source answers, and the others are tried again', async () => {
  const asked: string[] = [];
  answer = async (tag) => {
    asked.push(tag);
    if (tag === 'f43') throw new ReactorError('upstream.unreachable', 'Koji is away.', { fate: 'retry' });
    return [tag];
  };
  const askedOf: string[] = [];
  updateOf = async (alias) => {
    askedOf.push(alias);
    return null;
  };
  const events = [tagEvent({ tag: 'f42' }), tagEvent({ tag: 'f43' }), updateEvent()];
  const ids = await receiveTogether(events);
  await until(async () => asked.filter((tag) => tag === 'f43').length > 1, 'it is asked again for one alone');
  await until(async () => (await countActive()) === 0, 'the crowd is handled');
  assert.deepEqual(await stagesOf(ids), ['match', 'enrich', 'match']);
  assert.deepEqual(
    [asked.filter((tag) => tag === 'f42').length, askedOf.length],
    [1, 1],
    'of those that are done nobody is asked again',
  );
});

test('a source that is slow holds up only the event that needs it', async () => {
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  answer = async (tag) => [tag];
  updateOf = async () => {
    await isReleased;
    return null;
  };
  const [slow = 0, quick = 0] = await receiveTogether([updateEvent(), tagEvent({ tag: 'f44' })]);
  await until(async () => (await eventOf(quick)).stage === 'match', 'the event of the tag is complete');
  assert.equal((await eventOf(slow)).stage, 'enrich');
  release();
  await until(async () => (await eventOf(slow)).stage === 'match', 'the update goes on as it came');
});

test('an event that another worker completed meanwhile is not completed again', async () => {
  const id = await storeIncomplete(tagEvent({ tag: 'f44' }));
  const complete = (feeds: string[]): Promise<readonly number[]> =>
    transaction(database, (tx) => markCompleted(tx.sql, [{ id, event: tagEvent({ tag: 'f44', feeds }) }]));
  assert.deepEqual(await complete(['f44']), [id]);
  assert.deepEqual(await complete(['f45']), []);
  const stored = (await eventOf(id)).event;
  assert.deepEqual(stored?.kind === 'koji.tag' ? stored.feeds : null, ['f44']);
});

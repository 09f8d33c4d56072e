import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { openTestDatabase } from '../database/open-test-database.ts';
import type { ReceivedMessage } from '../../src/buses/received-message.ts';
import { openInbox } from './listening.ts';

const database = await openTestDatabase();
after(() => database.close());

function message(part: Partial<ReceivedMessage>): ReceivedMessage {
  return {
    bus: 'fedora-messaging',
    rawTopic: 'org.fedoraproject.prod.buildsys.tag',
    headers: {},
    body: Buffer.from('{"tag":"f44","name":"ed","version":"1","release":"1"}'),
    contentEncoding: null,
    messageId: null,
    sentAt: null,
    producer: null,
    ...part,
  };
}

/** The jobs that wait for the message of this id. */
async function jobsFor(messageId: string): Promise<string[]> {
  const query = sql<{ name: string }>`
    select job.name from pgboss.job job join events on (job.data ->> 'eventId')::bigint = events.id
    where events.message_id = ${messageId}`;
  return (await query.execute(database.kysely)).rows.map((row) => row.name);
}

test('a message is one row and one job however often it comes, alone or in one batch', async () => {
  const inbox = openInbox(database);
  const first = await Promise.all([1, 2, 3].map(() => inbox.receive(message({ messageId: 'a' }))));
  assert.equal(first.filter((stored) => stored.isNew).length, 1);
  assert.equal((await inbox.receive(message({ messageId: 'a' }))).isNew, false);
  assert.deepEqual(await jobsFor('a'), ['event.match']);
  assert.equal((await inbox.receive(message({ messageId: 'a', bus: 'umb' }))).isNew, true);
  await inbox.close();
});

test('without an id topic and body are the id', async () => {
  const inbox = openInbox(database);
  assert.equal((await inbox.receive(message({}))).isNew, true);
  assert.equal((await inbox.receive(message({}))).isNew, false);
  assert.equal(
    (await inbox.receive(message({ rawTopic: 'org.fedoraproject.prod.buildsys.untag' }))).isNew,
    true,
  );
  assert.equal((await inbox.receive(message({ messageId: 'x'.repeat(3000) }))).isNew, false);
  await inbox.close();
});

test('what rules can match gets a job, what nobody knows or understands does not', async () => {
  const inbox = openInbox(database, { needsEnrichment: (event) => event.kind === 'errata.status' });
  await inbox.receive(message({ messageId: 'job' }));
  await inbox.receive(message({ messageId: 'other', rawTopic: 'org.fedoraproject.prod.git.receive' }));
  await inbox.receive(message({ messageId: 'poison', body: Buffer.from('no') }));
  await inbox.receive(
    message({
      messageId: 'advisory',
      rawTopic: '/topic/VirtualTopic.eng.errata.activity.status',
      body: Buffer.from('{"errata_id":1}'),
    }),
  );
  const rows = await database.kysely
    .selectFrom('events')
    .select(['message_id', 'kind'])
    .where('message_id', 'in', ['job', 'other', 'poison', 'advisory'])
    .orderBy('id')
    .execute();
  assert.deepEqual(
    rows.map((row) => row.kind),
    ['koji.tag', 'other', null, 'errata.status'],
  );
  assert.deepEqual(await jobsFor('job'), ['event.match']);
  assert.deepEqual(await jobsFor('advisory'), ['event.enrich']);
  assert.deepEqual([...(await jobsFor('other')), ...(await jobsFor('poison'))], []);
  await inbox.close();
});

test('a closed inbox takes nothing and says so', async () => {
  const inbox = openInbox(database);
  await inbox.close();
  await assert.rejects(inbox.receive(message({ messageId: 'late' })), /closed/);
  assert.equal(inbox.health().state, 'closed');
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { followOutbox } from '../../src/app/roles/announcer.ts';
import type { Publisher } from '../../src/buses/publisher.ts';
import { acceptAnnouncement } from '../../src/database/announcements.ts';
import { createLog } from '../../src/log.ts';
import { givenCompose } from './asked.ts';
import { openTwoProcesses } from './two-processes.ts';

const processes = await openTwoProcesses();
const { first, second } = processes;
after(() => processes[Symbol.asyncDispose]());

test('an announcer that was slower takes back nothing of what another noted', async () => {
  await givenCompose(first);
  const { id } = await first.kysely
    .selectFrom('announcements')
    .select('id')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow();
  const now = new Date('2026-11-22T08:00:00Z');
  const done = { id, buses: ['fedora-messaging', 'umb'], isFinished: true, lastError: '', now };
  await acceptAnnouncement(first.kysely, done);
  await acceptAnnouncement(second.kysely, { ...done, buses: [], isFinished: false, lastError: 'umb: away' });
  const row = await first.kysely
    .selectFrom('announcements')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  assert.deepEqual(Object.keys(row.accepted).sort(), ['fedora-messaging', 'umb']);
  assert.equal(row.finished_at?.getTime(), now.getTime());
});

test('whatever is to be announced calls an announcer at once', async () => {
  await sql`delete from pgboss.job where name = 'announcements.publish'`.execute(first.kysely);
  await givenCompose(first);
  const { rows } = await sql`select id from pgboss.job where name = 'announcements.publish'`.execute(
    first.kysely,
  );
  assert.equal(rows.length, 1);
});

test('two announcers announce each state once, in order', async () => {
  const seen: string[] = [];
  const publisher: Publisher = {
    bus: 'umb',
    async publish({ messageId }) {
      // Long enough for the other announcer to come along.
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(messageId);
    },
    close: async () => undefined,
  };
  const { id: before } = await first.kysely
    .selectFrom('announcements')
    .select('id')
    .orderBy('id', 'desc')
    .where('finished_at', 'is not', null)
    .executeTakeFirstOrThrow();
  for (let count = 0; count < 20; count++) await givenCompose(first);
  const log = createLog('silent');
  const shared = {
    log,
    publishers: [publisher],
    targetDirUrls: { default: 'http://odcs.example.com/composes', extra: {} },
    privateBuses: [],
  };
  const stops = [
    await followOutbox({ ...shared, database: first }),
    await followOutbox({ ...shared, database: second }),
  ];
  for (let count = 0; count < 20; count++) await givenCompose(count % 2 === 0 ? first : second);
  const open = async (): Promise<number> =>
    (await first.kysely.selectFrom('announcements').select('id').where('finished_at', 'is', null).execute())
      .length;
  while ((await open()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const stop of stops) stop();
  const rows = await first.kysely
    .selectFrom('announcements')
    .select('message_id')
    .where('id', '>', before)
    .orderBy('id')
    .execute();
  assert.deepEqual(
    seen,
    rows.map(({ message_id: id }) => id),
  );
});

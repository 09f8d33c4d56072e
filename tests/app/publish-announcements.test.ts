import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { publishAnnouncements } from '../../src/app/publish-announcements.ts';
import type { Publisher } from '../../src/buses/publisher.ts';
import { findStuck, markHomeless } from '../../src/database/announced-buses.ts';
import { insertNotification } from '../../src/database/announcements.ts';
import { transaction } from '../../src/database/transaction.ts';
import { createLog } from '../../src/log.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { givenCompose } from '../races/asked.ts';

const database = await openTestDatabase();
after(() => database.close());

const published: string[] = [];
const publisher = (bus: Publisher['bus']): Publisher => ({
  bus,
  publish: async ({ messageId }) => void published.push(`${bus} ${messageId}`),
  close: async () => undefined,
});

const warned: unknown[] = [];
const log = Object.assign(createLog('silent'), { warn: (fields: unknown) => void warned.push(fields) });

const round = (...publishers: readonly Publisher[]): Promise<void> =>
  publishAnnouncements({
    database,
    log,
    publishers,
    targetDirUrls: { default: 'http://odcs.example.com/composes', extra: {} },
    privateBuses: [],
  });

const listOpen = () =>
  database.kysely
    .selectFrom('announcements')
    .select(['only_bus', 'last_error'])
    .where('finished_at', 'is', null)
    .execute();

test('where no bus is configured anywhere, states are announced to nobody and kept open by nobody', async () => {
  await givenCompose(database);
  assert.equal((await listOpen()).length, 1);
  await round();
  assert.deepEqual(await listOpen(), []);
  assert.deepEqual(published, []);
});

test('a notification for a bus that no announcer has waits and says why', async () => {
  await transaction(database, (tx) =>
    insertNotification(tx, { messageId: 'told', onlyBus: 'umb', body: { event: 'rule-decided' } }),
  );
  await round(publisher('fedora-messaging'));
  await round(publisher('fedora-messaging'));
  assert.deepEqual(warned, [{ bus: 'umb', waiting: 1 }], 'it is said once, not at every look');
  assert.deepEqual(await listOpen(), [{ only_bus: 'umb', last_error: 'No announcer has the bus umb.' }]);
  const later = new Date(database.clock.now().getTime() + 3_600_000);
  assert.deepEqual(await findStuck(database.kysely, later), {
    waiting: 1,
    reason: 'No announcer has the bus umb.',
  });
  await round(publisher('umb'));
  assert.deepEqual(await listOpen(), []);
  assert.deepEqual(published, ['umb told']);
});

test('a notification for a bus that no announcer had for a week is given up', async () => {
  await transaction(database, (tx) =>
    insertNotification(tx, { messageId: 'old', onlyBus: 'umb', body: { event: 'rule-decided' } }),
  );
  const known = ['fedora-messaging'];
  const now = database.clock.now();
  await markHomeless(database.kysely, { known, now });
  await markHomeless(database.kysely, { known, now: new Date(now.getTime() + 6 * 86_400_000) });
  assert.equal((await listOpen()).length, 1);
  await markHomeless(database.kysely, { known, now: new Date(now.getTime() + 8 * 86_400_000) });
  assert.deepEqual(await listOpen(), []);
});

test('an announcer without a bus, or with another one, leaves a state to the announcer that has it', async () => {
  published.length = 0;
  await givenCompose(database);
  await round();
  await round(publisher('fedora-messaging'));
  assert.equal((await listOpen()).length, 1, 'umb was not told yet');
  await round(publisher('umb'));
  assert.deepEqual(await listOpen(), []);
  assert.deepEqual(
    published.map((text) => text.split(' ')[0]),
    ['fedora-messaging', 'umb'],
  );
});

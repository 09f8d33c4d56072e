import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { z } from 'zod';
import { publishAnnouncements } from '../../src/app/publish-announcements.ts';
import { transaction } from '../../src/database/transaction.ts';
import { beginCompose, moveCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import { createLog } from '../../src/log.ts';
import { toAnnounced } from '../../src/model/new-advisories.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { givenCompose } from '../races/asked.ts';

const database = await openTestDatabase();
after(() => database.close());

const bodySchema = z.object({
  compose: z.object({ id: z.number(), state_name: z.string() }),
  new_advisories: z.object({ since: z.number(), advisories: z.array(z.string()) }).optional(),
});

test('a done compose is announced with what is new; its other states, and one of which nothing is known, without', async () => {
  const id = await givenCompose(database);
  const unknown = await givenCompose(database);
  const news = toAnnounced({ advisories: ['FEDORA-2026-1'], cves: ['CVE-2026-10001'] }, 7);
  await transaction(database, async (tx) => {
    const held = await beginCompose(tx, id);
    assert.ok(held);
    const generating = { reason: null, pinned: { newAdvisories: news } };
    await moveHeldCompose(tx, held, 'pin', generating);
    await moveHeldCompose(tx, held, 'publish', { reason: null });
    await moveCompose(tx, id, 'remove', { reason: null });
    const other = await beginCompose(tx, unknown);
    assert.ok(other);
    await moveHeldCompose(tx, other, 'pin', { reason: null, pinned: { newAdvisories: null } });
    await moveHeldCompose(tx, other, 'publish', { reason: null });
  });
  const bodies: z.infer<typeof bodySchema>[] = [];
  await publishAnnouncements({
    database,
    log: createLog('silent'),
    publishers: [
      {
        bus: 'umb',
        publish: async ({ body }) => void bodies.push(bodySchema.parse(body)),
        close: async () => undefined,
      },
    ],
    targetDirUrls: { default: 'http://odcs.example.com/composes', extra: {} },
    privateBuses: [],
  });
  assert.deepEqual(
    bodies
      .filter(({ compose }) => compose.id === id)
      .map(({ compose, new_advisories: told }) => [compose.state_name, told?.since, told?.advisories]),
    [
      ['wait', undefined, undefined],
      ['generating', undefined, undefined],
      ['done', 7, ['FEDORA-2026-1']],
      ['removed', undefined, undefined],
    ],
  );
  const without = bodies.filter(({ compose }) => compose.id === unknown);
  assert.deepEqual(
    without.map((body) => [body.compose.state_name, 'new_advisories' in body]),
    ['wait', 'generating', 'done'].map((state) => [state, false]),
  );
});

test('an announcement names no more than 500 advisories, and says that there are more', () => {
  const advisories = Array.from({ length: 501 }, (_none, index) => `A-${index}`);
  const told = toAnnounced({ advisories, cves: [] }, 1);
  assert.deepEqual([told.advisories.length, told.more], [500, true]);
  assert.equal(toAnnounced({ advisories: advisories.slice(1), cves: [] }, 1).more, false);
});

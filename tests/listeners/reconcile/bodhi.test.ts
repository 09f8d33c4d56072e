import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reconcileBodhi } from '../../../src/listeners/reconcile/bodhi.ts';
import { connectBodhi } from '../../../src/upstream/bodhi.ts';
import { atTime } from '../../database/at-time.ts';
import { openTestDatabase } from '../../database/open-test-database.ts';
import { startFakeBodhi, type BodhiItem } from '../../upstream/fake-bodhi.ts';
import { openInbox } from '../listening.ts';

const START = Date.parse('2026-11-22T10:00:00Z');

function pushed(alias: string, status: string, minute: number): BodhiItem {
  return {
    alias,
    status,
    type: 'security',
    severity: 'urgent',
    release: { name: 'F44', dist_tag: 'f44' },
    builds: [{ nvr: 'openssl-3.2.1-2.fc44', epoch: 1 }],
    user: { name: 'jana' },
    date_pushed: new Date(START + minute * 60_000).toISOString().slice(0, 19).replace('T', ' '),
  };
}

test('pushes of updates that no message told are stored once, page by page', async (context) => {
  const database = await openTestDatabase();
  const items = [
    pushed('FEDORA-2026-1', 'stable', -60),
    pushed('FEDORA-2026-2', 'stable', 5),
    pushed('FEDORA-2026-3', 'testing', 6),
    pushed('FEDORA-2026-4', 'obsolete', 7),
    pushed('FEDORA-2026-5', 'testing', 8),
    pushed('FEDORA-2026-6', 'stable', 26),
    { ...pushed('FEDORA-2026-7', 'pending', 0), date_pushed: null },
  ];
  const server = await startFakeBodhi(context, items);
  let now = new Date(START);
  const inbox = openInbox(atTime(database, { now: () => now }));
  context.after(async () => {
    await inbox.close();
    await database.close();
  });
  const bodhi = connectBodhi(server.url);
  const look = (): Promise<number> => reconcileBodhi({ database, inbox, now, instance: 'fedora', bodhi });

  assert.equal(await look(), 0, 'the first look notes the time');
  now = new Date(START + 7 * 60_000);
  // The message of an earlier push to testing tells nothing of the push to stable.
  for (const [alias, status] of [
    ['FEDORA-2026-3', 'testing'],
    ['FEDORA-2026-2', 'testing'],
  ]) {
    await inbox.receive({
      bus: 'fedora-messaging',
      rawTopic: `org.fedoraproject.prod.bodhi.update.complete.${status}`,
      headers: {},
      body: Buffer.from(JSON.stringify({ update: { alias } })),
      contentEncoding: null,
      messageId: `told ${alias}`,
      sentAt: null,
      producer: null,
    });
  }
  now = new Date(START + 30 * 60_000);
  server.faults.push(503);
  await assert.rejects(look(), { code: 'upstream.unreachable', fate: 'retry' });
  assert.equal(await look(), 2);
  assert.equal(await look(), 0);
  assert.equal(server.queries[0], 'pushed_since=2026-11-22T09%3A50%3A00&rows_per_page=50&page=1');
  assert.ok(server.queries.some((query) => query.endsWith('page=3')));
  now = new Date(START + 32 * 60_000);
  assert.equal(await look(), 1, 'what was too young is found by the next look');

  const rows = await database.kysely
    .selectFrom('events')
    .selectAll()
    .where('bus', '=', 'internal')
    .orderBy('id')
    .execute();
  assert.deepEqual(
    rows.map(({ topic, event }) => [topic, event?.kind === 'bodhi.update' ? event.alias : null]),
    [
      ['bodhi.update.complete.stable', 'FEDORA-2026-2'],
      ['bodhi.update.complete.testing', 'FEDORA-2026-5'],
      ['bodhi.update.complete.stable', 'FEDORA-2026-6'],
    ],
  );
  const [first] = rows;
  assert.deepEqual(first?.event, {
    kind: 'bodhi.update',
    phase: 'complete',
    alias: 'FEDORA-2026-2',
    transition: 'stable',
    type: 'security',
    severity: 'urgent',
    release: 'F44',
    dist_tag: 'f44',
    status: 'stable',
    builds: [{ nvr: 'openssl-3.2.1-2.fc44', package: 'openssl' }],
    user: 'jana',
  });
  assert.equal(first.instance, 'fedora');
});

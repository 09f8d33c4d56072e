import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reconcileMbs } from '../../../src/listeners/reconcile/mbs.ts';
import { connectMbs } from '../../../src/upstream/mbs.ts';
import { atTime } from '../../database/at-time.ts';
import { openTestDatabase } from '../../database/open-test-database.ts';
import { readMbsItems, startFakeMbs, type MbsItem } from '../../upstream/fake-mbs.ts';
import { openInbox } from '../listening.ts';

const [template] = readMbsItems('fixture');
assert.ok(template);
const START = Date.parse('2026-11-22T10:00:00Z');

test('states of modules that no message told are stored once, page by page', async (context) => {
  const itemAt = (id: number, state: number, minute: number): MbsItem => ({
    ...template,
    id,
    version: String(id),
    state,
    time_modified: new Date(START + minute * 60_000).toISOString().replace('.000', ''),
  });
  const items = [itemAt(1, 5, -60), itemAt(2, 5, 2), itemAt(3, 4, 3), itemAt(4, 2, 3), itemAt(5, 5, 4)];
  const server = await startFakeMbs(context, items);
  const database = await openTestDatabase();
  let now = new Date(START);
  const inbox = openInbox(atTime(database, { now: () => now }));
  context.after(async () => {
    await inbox.close();
    await database.close();
  });
  const mbs = connectMbs({ url: server.url, perPage: 2 });
  const look = (): Promise<number> => reconcileMbs({ database, inbox, now, instance: 'centos', mbs });

  assert.equal(await look(), 0, 'the first look notes the time');
  assert.deepEqual(server.queries, []);
  now = new Date(START + 3 * 60_000 + 45_000);
  const body = { id: 3, state: 4, state_name: 'failed', name: 'a', stream: 'b', version: '3', context: 'c' };
  await inbox.receive({
    bus: 'fedora-messaging',
    rawTopic: 'org.centos.prod.mbs.module.state.change',
    headers: {},
    body: Buffer.from(JSON.stringify(body)),
    contentEncoding: null,
    messageId: 'told',
    sentAt: null,
    producer: null,
  });
  assert.equal(await look(), 1);
  assert.equal(await look(), 0);
  assert.match(
    server.queries[0] ?? '',
    /^modified_after=2026-11-22T09%3A55%3A00Z&state=3&state=4&state=5&state=6&order_by=id&per_page=2$/,
  );
  assert.match(server.queries[1] ?? '', /page=2$/);
  now = new Date(START + 4 * 60_000 + 31_000);
  assert.equal(await look(), 1, 'what was too young is found by the next look');
  const rows = await database.kysely.selectFrom('events').selectAll().orderBy('id').execute();
  assert.deepEqual(
    rows.map(({ bus, instance, topic, event }) => [
      bus,
      instance,
      topic,
      event?.kind === 'mbs.module' ? [event.id, event.state, event.name] : null,
    ]),
    [
      ['fedora-messaging', 'centos', 'mbs.module.state.change', [3, 'failed', 'a']],
      ['internal', 'centos', 'mbs.module.state.change', [2, 'ready', template.name]],
      ['internal', 'centos', 'mbs.module.state.change', [5, 'ready', template.name]],
    ],
  );
});

test('an MBS that fails in the middle leaves the position where it was', async (context) => {
  const modified = { time_modified: new Date(START + 60_000).toISOString() };
  const items = [1, 2, 3].map((id) => ({ ...template, id, version: String(id), state: 5, ...modified }));
  const server = await startFakeMbs(context, items);
  const database = await openTestDatabase();
  let now = new Date(START);
  const inbox = openInbox(atTime(database, { now: () => now }));
  context.after(async () => {
    await inbox.close();
    await database.close();
  });
  const mbs = connectMbs({ url: server.url, perPage: 2, attempts: 1 });
  const look = (): Promise<number> => reconcileMbs({ database, inbox, now, instance: 'fedora', mbs });
  await look();
  now = new Date(START + 3_600_000);
  server.faults.push((response) => response.writeHead(500).end('no'));
  await assert.rejects(look(), { code: 'mbs.http_error' });
  assert.equal(await look(), 3);
});

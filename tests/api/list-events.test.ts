import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openInbox } from '../listeners/listening.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
const inbox = openInbox(api.database);
after(async () => {
  await inbox.close();
  await api[Symbol.asyncDispose]();
});

async function receive(messageId: string, body: string): Promise<number> {
  const stored = await inbox.receive({
    bus: 'fedora-messaging',
    rawTopic: 'org.fedoraproject.prod.buildsys.tag',
    headers: { 'sent-at': '2026-11-22T08:00:00+00:00' },
    body: Buffer.from(body),
    contentEncoding: null,
    messageId,
    sentAt: null,
    producer: null,
  });
  assert.ok(stored.isNew);
  return stored.id;
}

const good = '{"tag":"f44","name":"ed","version":"1","release":"1"}';
const first = await receive('one', good);
const poison = await receive('two', 'no JSON');
const last = await receive('three', good);

function idsOf(json: Record<string, unknown>): unknown[] {
  const { items } = json;
  assert.ok(Array.isArray(items));
  return items.map((item: { id: unknown }) => item.id);
}

test('events are listed newest first, filtered, and in pages', async () => {
  assert.deepEqual(idsOf((await api.call('GET', '/api/1/events')).json), [last, poison, first]);
  assert.deepEqual(idsOf((await api.call('GET', '/api/1/events?kind=poison')).json), [poison]);
  assert.deepEqual(idsOf((await api.call('GET', '/api/1/events?kind=koji.tag&bus=fedora-messaging')).json), [
    last,
    first,
  ]);
  const page = await api.call('GET', '/api/1/events?per_page=2');
  assert.equal(page.json['next'], poison);
  assert.deepEqual(idsOf((await api.call('GET', `/api/1/events?before=${poison}`)).json), [first]);
  assert.deepEqual(idsOf((await api.call('GET', `/api/1/events?after=${first}`)).json), [poison, last]);
  assert.equal((await api.call('GET', '/api/1/events?before=x')).status, 400);
});

test('one event is shown with its raw message, as text or in base64', async () => {
  const { json } = await api.call('GET', `/api/1/events/${poison}`);
  assert.match(String(json['reason']), /not JSON/);
  assert.deepEqual(json['raw'], {
    headers: { 'sent-at': '2026-11-22T08:00:00+00:00' },
    body: { text: 'no JSON' },
  });
  assert.deepEqual(json['decisions'], []);
  assert.equal((await api.call('GET', '/api/1/events/999999')).status, 404);
});

for (const [address, word, near] of [
  ['/api/1/events', 'knid', 'kind'],
  ['/api/1/decisions', 'composes', 'compose'],
  ['/api/1/series/', 'limits', 'limit'],
  ['/api/1/images/', 'serie', 'series'],
] as const) {
  test(`a key that ${address} does not know is refused, with the one that may be meant`, async () => {
    const { status, json } = await api.call('GET', `${address}?${word}=1`);
    assert.deepEqual([status, json['code']], [400, 'request.unknown_query']);
    assert.equal(json['message'], `There is no query key "${word}" here; did you mean "${near}"?`);
    assert.equal((await api.call('GET', `${address}?nonsense=1`)).status, 400);
  });
}

test('a list of composes ignores keys that it does not know, as ODCS does', async () => {
  assert.equal((await api.call('GET', '/api/1/composes/?nonsense=1')).status, 200);
});

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createApp } from '../../src/api/app.ts';
import { OpenStreams } from '../../src/api/event-stream.ts';
import { publishAnnouncements } from '../../src/app/publish-announcements.ts';
import type { Publisher } from '../../src/buses/publisher.ts';
import { insertToken } from '../../src/database/api-tokens.ts';
import { digestOf, formatToken, newSecret } from '../../src/model/api-token.ts';
import { Engine, storeEvent } from '../rules/engine.ts';
import { tagEvent } from '../rules/input-event.ts';
import { readRule, ruleText } from '../rules/rule-text.ts';
import { api, call, id, member, ownEvent, owners, stranger, validators, who } from './private-compose.ts';

/** What a caller hears of the private compose; empty where that is nothing. */
type Hear = (headers: Record<string, string>) => Promise<string>;
const told = async (
  method: string,
  path: string,
  options: { headers: Record<string, string>; body?: unknown },
): Promise<string> => {
  const { status, text: said } = await call(method, path, options);
  return status === 404 ? '' : `${status} ${said}`;
};
/** Ways to learn of a compose, beside each address by itself: heard by readers alone. */
const ways: Readonly<Record<string, Hear>> = {
  'the list of composes': (headers) => told('GET', '/api/1/composes/', { headers }).then(withId),
  'the count of a list': async (headers) => {
    const { json } = await call('GET', '/api/1/composes/?series=classified-series', { headers });
    const { total } = json['meta'] as { total: number };
    return total === 0 ? '' : String(total);
  },
  'waiting for it': (headers) => told('GET', `/api/1/composes/${id}?wait=1`, { headers }),
  'a validator of it': (headers) =>
    told('GET', `/api/1/composes/${id}`, {
      headers: { ...headers, 'If-None-Match': owners.headers.get('etag') ?? '' },
    }),
  'a HEAD': (headers) => told('HEAD', `/api/1/composes/${id}`, { headers }),
  'the list of series': (headers) =>
    told('GET', '/api/1/series/', { headers }).then((said) => (said.includes('classified') ? said : '')),
  'its series': (headers) => told('GET', '/api/1/series/classified-series', { headers }),
  'its history': (headers) => told('GET', '/console/series/classified-series', { headers }),
  'the feed': (headers) => told('GET', '/api/1/series/classified-series/feed.atom', { headers }),
  'the badge': (headers) => told('GET', '/api/1/series/classified-series/badge.svg', { headers }),
  'its manifest': (headers) => told('GET', `/api/1/composes/${id}/manifest`, { headers }),
  'the page of composes of its series': (headers) =>
    told('GET', '/console/composes?series=classified-series', { headers }).then(withId),
  'a search for it': (headers) =>
    told('GET', `/api/1/find?q=${id}`, { headers }).then((said) =>
      said.includes('classified-series') ? said : '',
    ),
  'its events': (headers) => told('GET', `/api/1/composes/${id}/events`, { headers }),
  'the page of an event of it': (headers) => told('GET', `/console/events/${ownEvent}`, { headers }),
  'the page of its rule': (headers) => told('GET', '/console/rules/classified-rule', { headers }),
  'problems of its rule': (headers) =>
    told('GET', '/api/1/rules/', { headers }).then((said) =>
      said.includes('There is no field \\"classified-package\\"') ? said : '',
    ),
  'a lock file': (headers) => told('GET', `/api/1/composes/${id}/rpms.lock.yaml`, { headers }),
  'a file': (headers) => told('GET', `/composes/odcs-${id}/STATUS`, { headers }),
  'a validator of a file': (headers) =>
    call('GET', `/composes/odcs-${id}/STATUS`, { headers: { ...headers, ...validators } }).then(
      ({ status }) => (status === 304 ? 'unchanged' : ''),
    ),
  'a part of a file': (headers) =>
    told('GET', `/composes/odcs-${id}/STATUS`, { headers: { ...headers, Range: 'bytes=0-3' } }),
  'a HEAD of a file': (headers) => told('HEAD', `/composes/odcs-${id}/STATUS`, { headers }),
  'the .repo file of its series': (headers) =>
    told('GET', '/composes/series/classified-series/latest.repo', { headers }),
  'the list of directories': (headers) => told('GET', '/composes/', { headers }).then(withId),
  'the list of series directories': (headers) =>
    told('GET', '/composes/series/', { headers }).then((said) =>
      said.includes('classified-series') ? said : '',
    ),
};

/** Returns a text that names the compose, nothing of another. */
function withId(said: string): string {
  return said.includes(String(id)) ? said : '';
}

for (const [way, hear] of Object.entries(ways)) {
  test(`${way} tells of a private compose to its readers alone`, async () => {
    assert.equal(await hear(stranger), '');
    assert.equal(await hear({}), '');
    assert.notEqual(await hear(member), '');
  });
}

test('a rule that everybody may read does not hear of a private compose', async () => {
  const listening = ruleText('- event: compose.state\n  match: { state: done }');
  const open = readRule(listening.replace('nightly', 'open-rule'), 'open-rule.yaml');
  const engine = new Engine(api.database, { version: 'v2', rules: [open] });
  const more = await storeEvent(
    api.database,
    { kind: 'compose.state', system: 'odcs', id: String(id), state: 'done', series: 'classified-series' },
    api.now,
  );
  const other = await storeEvent(
    api.database,
    { kind: 'compose.state', system: 'odcs', id: '999999', state: 'done', series: 'open-series' },
    api.now,
  );
  await engine.match(more, api.now);
  await engine.match(other, api.now);
  const judged = await api.database.kysely
    .selectFrom('decisions')
    .select('event_id')
    .where('rule', '=', 'open-rule')
    .execute();
  assert.deepEqual(judged, [{ event_id: other }]);
});

test('announcements of what is private go to the buses that may carry them, and to no other', async () => {
  const heard: string[] = [];
  const publisherOf = (bus: 'umb' | 'fedora-messaging'): Publisher => ({
    bus,
    publish: async ({ body }) => void heard.push(`${bus} ${JSON.stringify(body).includes(`"id":${id},`)}`),
    close: async () => undefined,
  });
  await publishAnnouncements({
    database: api.database,
    log: api.context.log,
    publishers: [publisherOf('umb'), publisherOf('fedora-messaging')],
    targetDirUrls: api.context.targetDirUrls,
    privateBuses: ['umb'],
  });
  assert.ok(heard.includes('umb true'), heard.join(', '));
  assert.ok(!heard.includes('fedora-messaging true'), heard.join(', '));
});

test('a stream ends where its reader loses what they might read', async () => {
  const secret = newSecret();
  const { id: tokenId } = await insertToken(api.database.kysely, {
    name: 'for a while',
    digest: digestOf(secret),
    owner: 'agent',
    groups: [],
    scopes: ['read'],
    now: api.now,
    expiresAt: new Date(api.now.getTime() + 86_400_000),
  });
  const streams = new OpenStreams({ keepAliveMs: 20 });
  const app = createApp({ ...api.context, streams });
  const response = await app.request('http://odcs.example.com/api/1/events/stream', {
    headers: { Authorization: `Bearer ${formatToken(tokenId, secret)}` },
  });
  assert.equal(response.status, 200);
  const reading = response.text();
  await api.database.kysely
    .updateTable('api_tokens')
    .set({ revoked_at: api.now })
    .where('id', '=', tokenId)
    .execute();
  await reading;
  assert.equal(streams.count, 0);
});

test('a directory whose compose or series is not known is not there', async () => {
  mkdirSync(join(api.targetDir, 'odcs-888888'), { recursive: true });
  writeFileSync(join(api.targetDir, 'odcs-888888', 'STATUS'), 'FINISHED\n');
  mkdirSync(join(api.targetDir, 'series', 'lost'), { recursive: true });
  writeFileSync(join(api.targetDir, 'series', 'lost', 'latest.repo'), '[lost]\n');
  for (const path of ['/composes/odcs-888888/STATUS', '/composes/series/lost/latest.repo']) {
    assert.equal((await call('GET', path, { headers: member })).status, 404, path);
  }
});

for (const [caller, isTold] of [
  ['stranger', false],
  ['nobody', false],
  ['member', true],
] as const) {
  test(`the stream of events tells ${caller} of a private compose: ${isTold}`, async () => {
    await storeEvent(api.database, tagEvent({ tag: 'the-last-one' }), api.now);
    const app = createApp({ ...api.context, config: { ...api.context.config, auth_backend: 'kerberos' } });
    const response = await app.request('http://odcs.example.com/api/1/events/stream?after=0', {
      headers: who[caller],
    });
    assert.ok(response.body !== null);
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of response.body) {
      text += decoder.decode(piece);
      if (text.includes('the-last-one')) break;
    }
    assert.equal(text.includes('classified-series'), isTold);
  });
}

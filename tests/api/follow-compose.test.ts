import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';
import { findComposes } from '../../src/database/list-composes.ts';
import { noteProgress } from '../../src/database/composes.ts';
import { ComposeWatch } from '../../src/api/compose-watch.ts';
import { createApp } from '../../src/api/app.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

test('GET of one compose has 43 keys and an ETag that answers 304', async () => {
  const id = await givenCompose(api);
  const { status, json, headers } = await api.call('GET', `/api/1/composes/${id}`);
  assert.equal(status, 200);
  assert.equal(Object.keys(json).length, 43);
  assert.equal(json['pungi_config_dump'], null);
  const etag = headers.get('etag') ?? '';
  const again = await api.call('GET', `/api/1/composes/${id}`, { headers: { 'If-None-Match': etag } });
  assert.deepEqual([again.status, again.text], [304, '']);
  await changeCompose(api, id, { state: 'generating' });
  const changed = await api.call('GET', `/api/1/composes/${id}`, { headers: { 'If-None-Match': etag } });
  assert.equal(changed.status, 200);
});

test('an unknown compose is 404 in the words of ODCS', async () => {
  for (const id of ['999999', '99999999999999999999']) {
    const { status, json } = await api.call('GET', `/api/1/composes/${id}`);
    assert.deepEqual([status, json['error'], json['message']], [404, 'Not Found', 'No such compose found.']);
  }
});

test('?wait answers as soon as the compose has ended', async () => {
  const id = await givenCompose(api);
  const waiting = api.call('GET', `/api/1/composes/${id}?wait=60`);
  await changeCompose(api, id, { state: 'generating' });
  await changeCompose(api, id, { state: 'done' });
  assert.equal((await waiting).json['state_name'], 'done');
});

test('?wait with If-None-Match answers at the first change', async () => {
  const id = await givenCompose(api);
  const etag = (await api.call('GET', `/api/1/composes/${id}`)).headers.get('etag') ?? '';
  const waiting = api.call('GET', `/api/1/composes/${id}?wait=60`, { headers: { 'If-None-Match': etag } });
  await changeCompose(api, id, { state: 'generating' });
  assert.equal((await waiting).json['state_name'], 'generating');
});

test('?wait answers what there is when the time is over, and 304 where nothing changed', async () => {
  const id = await givenCompose(api);
  const first = await api.call('GET', `/api/1/composes/${id}?wait=0.01`);
  assert.equal(first.json['state_name'], 'wait');
  const headers = { 'If-None-Match': first.headers.get('etag') ?? '' };
  assert.equal((await api.call('GET', `/api/1/composes/${id}?wait=0.01`, { headers })).status, 304);
  assert.equal((await api.call('GET', `/api/1/composes/${id}?wait=soon`)).status, 200);
});

test('events tell every state and the progress, and end with the compose', async () => {
  const id = await givenCompose(api);
  const app = createApp(api.context);
  const response = await app.request(`http://odcs.example.com/api/1/composes/${id}/events`);
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = decoder.decode((await reader?.read())?.value);
  await changeCompose(api, id, { state: 'generating' });
  await noteProgress(
    api.database.kysely,
    { id, attempt: 0 },
    { progress: { stage: 'place', done: 3, total: 9, unit: 'packages' } },
  );
  while (!text.includes('event: progress')) {
    const { value } = (await reader?.read()) ?? {};
    assert.ok(value !== undefined, text);
    text += decoder.decode(value);
  }
  await changeCompose(api, id, { state: 'failed' });
  for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
    text += decoder.decode(read.value);
  }
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const events = text
    .trim()
    .split('\n\n')
    .map((event) => {
      const [name = '', data = ''] = event.split('\n');
      const value = JSON.parse(data.slice('data: '.length)) as Record<string, unknown>;
      return `${name.slice('event: '.length)} ${String(value['state_name'] ?? value['stage'])}`;
    });
  assert.deepEqual([events[0], events.at(-1)], ['state wait', 'state failed']);
  assert.ok(events.includes('progress place'), events.join());
});

test('nothing comes after the final state, even where the last progress was not seen before', async () => {
  const id = await givenCompose(api, { state: 'generating' });
  const [seen] = await findComposes(api.database.kysely, [id]);
  assert.ok(seen !== undefined);
  const progress = { stage: 'place', done: 3, total: 9, unit: 'packages' } as const;
  using watch = new ComposeWatch({
    read: async () => [{ ...seen, state: 'failed', progress }],
    onError: () => undefined,
    interval: 1,
  });
  const app = createApp({ ...api.context, watch });
  const stream = await app.request(`http://odcs.example.com/api/1/composes/${id}/events`);
  const names = [...(await stream.text()).matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
  assert.deepEqual(names, ['state', 'state']);
});

test('a watch that stops ends every stream and every wait', async () => {
  const id = await givenCompose(api);
  using watch = new ComposeWatch({ read: async () => [], onError: () => undefined, interval: 1 });
  const app = createApp({ ...api.context, watch });
  const stream = await app.request(`http://odcs.example.com/api/1/composes/${id}/events`);
  const waiting = watch.until(id, () => true, 60_000, new AbortController().signal);
  watch[Symbol.dispose]();
  assert.match(await stream.text(), /event: state/);
  assert.equal(await waiting, undefined);
});

test('events of an ended compose are its state and nothing more', async () => {
  const id = await givenCompose(api, { state: 'done' });
  const { text } = await api.call('GET', `/api/1/composes/${id}/events`);
  assert.match(text, /^event: state\ndata: \{.*"state_name":"done".*\}\n\n$/);
});

test('a follower that leaves is forgotten', async () => {
  const id = await givenCompose(api);
  const app = createApp(api.context);
  const response = await app.request(`http://odcs.example.com/api/1/composes/${id}/events`);
  const reader = response.body?.getReader();
  assert.match(new TextDecoder().decode((await reader?.read())?.value), /event: state/);
  assert.equal(api.context.watch.followed, 1);
  await reader?.cancel();
  assert.equal(api.context.watch.followed, 0);
});

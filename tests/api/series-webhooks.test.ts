import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { tellWebhooks } from '../../src/app/roles/announcer.ts';
import { noteSeries } from '../../src/database/series.ts';
import { transaction } from '../../src/database/transaction.ts';
import { createCompose } from '../../src/lifecycle/create-compose.ts';
import { beginCompose, moveHeldCompose, type ComposeChange } from '../../src/lifecycle/move-compose.ts';
import type { ComposeRequest } from '../../src/model/compose.ts';
import type { Readers } from '../../src/model/readers.ts';
import { defaultRequest } from '../default-request.ts';
import { serve } from '../upstream/http/test-server.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

/** What was posted, by path, in the order in which it came. */
const told: { readonly path: string; readonly body: Record<string, unknown> }[] = [];
let noted = (): void => undefined;
const server = await serve({ after }, (request, response) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (piece: string) => (text += piece));
  request.on('end', () => {
    told.push({ path: request.url ?? '', body: JSON.parse(text) as Record<string, unknown> });
    response.end();
    noted();
  });
});
const { host, hostname } = new URL(server.url);
const call = api.withSettings({
  auth_backend: 'kerberos',
  admins: { users: ['root'], groups: [] },
  allowed_clients: { users: { jana: {}, root: {} }, groups: {} },
  webhook_hosts: [hostname],
});

async function ask(series: string, more: object = {}, user = 'jana') {
  const body = { source: { type: 'tag', source: 'f26', packages: ['ed'] }, series, ...more };
  return call('POST', '/api/1/composes/', { body, headers: { 'X-Remote-User': `${user}@EXAMPLE.COM` } });
}

async function end(id: unknown, way: 'publish' | 'fail', change: ComposeChange): Promise<void> {
  await transaction(api.database, async (tx) => {
    const held = await beginCompose(tx, Number(id));
    assert.ok(held);
    assert.ok(await moveHeldCompose(tx, held, way, change));
  });
}

/** Takes the calls that wait off the queue, by outcome and address. */
async function waiting(): Promise<readonly { url: string; body: Record<string, unknown> }[]> {
  const rows = await api.database.kysely
    .withTables<{
      'pgboss.job': { name: string; state: string; data: { url: string; body: Record<string, unknown> } };
    }>()
    .deleteFrom('pgboss.job')
    .where('name', '=', 'series.webhook')
    .where('state', '=', 'created')
    .returning('data')
    .execute();
  const words = ({ url, body }: (typeof rows)[number]['data']): string => `${String(body['outcome'])} ${url}`;
  return rows.map(({ data }) => data).sort((left, right) => (words(left) < words(right) ? -1 : 1));
}

const done = { reason: null };
const hook = (path: string, only?: readonly string[]) => ({
  webhook: `${server.url}${path}`,
  ...(only === undefined ? {} : { only }),
});

test('webhooks of a series hear how its composes end, from the request that names them on', async () => {
  const first = await ask('told', { notify: [hook('/a'), hook('/b', ['image_changed', 'failed'])] });
  assert.equal(first.status, 200, first.text);
  await end(first.json['id'], 'publish', {
    reason: null,
    pinned: { changedImages: { images: ['httpd'], more: false } },
  });
  const later = await ask('told');
  await end(later.json['id'], 'fail', { reason: 'Koji is gone.' });
  const [composed, failed, failedToo, imageChanged, ...others] = await waiting();
  assert.deepEqual(others, []);
  assert.deepEqual(
    [composed, imageChanged, failed, failedToo].map(
      (word) => `${String(word?.body['outcome'])} ${word?.url}`,
    ),
    [
      `composed ${server.url}/a`,
      `image_changed ${server.url}/b`,
      `failed ${server.url}/a`,
      `failed ${server.url}/b`,
    ],
  );
  const { id, at, ...body } = imageChanged?.body ?? {};
  assert.match(String(id), /^[0-9a-f]{8}-[0-9a-f]{4}-8/);
  assert.equal(at, api.now.toISOString());
  assert.deepEqual(body, {
    event: 'series-continued',
    series: 'told',
    owner: 'jana',
    outcome: 'image_changed',
    why: null,
    compose_id: first.json['id'],
    changed_images: { images: ['httpd'], more: false },
  });
  assert.deepEqual([failed?.body['why'], failed?.body['compose_id']], ['Koji is gone.', later.json['id']]);
  const silent = await ask('told', { notify: [] });
  await end(silent.json['id'], 'publish', done);
  assert.deepEqual(await waiting(), []);
});

test('what waits to be told is posted, to hosts that the settings allow only', async () => {
  const { json } = await ask('posted', { notify: [hook('/posted')] });
  await end(json['id'], 'publish', done);
  await api.database.jobs.send('series.webhook', { url: 'http://localhost:1/', body: {} });
  const refused = Promise.withResolvers<unknown>();
  const posted = Promise.withResolvers<void>();
  noted = () => posted.resolve();
  const log = Object.assign(api.context.log.child({}), { warn: refused.resolve });
  await tellWebhooks({ config: { webhook_hosts: [host] }, database: api.database, log });
  await posted.promise;
  assert.deepEqual(
    told.map(({ path, body }) => [path, body['series'], body['outcome']]),
    [['/posted', 'posted', 'composed']],
  );
  const fields = (await refused.promise) as { code: string };
  assert.equal(fields.code, 'repo.not_allowed');
  await api.database.jobs.stopWorking();
});

test('a webhook of a host that is not allowed, or that is none, is refused', async () => {
  for (const [notify, status, code] of [
    [[{ webhook: 'https://elsewhere.example.com/' }], 403, 'series.notify_not_allowed'],
    [[{ webhook: `http://me:word@${host}/` }], 400, 'request.invalid_value'],
    [[{ webhook: 'ftp://x/' }], 400, 'request.invalid_value'],
    [[{ webhook: `${server.url}/${'x'.repeat(1_000)}` }], 400, 'request.invalid_value'],
    [[{ bus: 'umb' }], 400, 'request.invalid_value'],
    [[{ ...hook('/'), only: [] }], 400, 'request.invalid_value'],
    [[{ ...hook('/'), only: ['unchanged'] }], 400, 'request.invalid_value'],
    [[{ ...hook('/'), secret: 'x' }], 400, 'request.invalid_value'],
    [['https://x/'], 400, 'request.invalid_value'],
    [hook('/'), 400, 'request.invalid_value'],
    [Array.from({ length: 6 }, () => hook('/')), 400, 'request.invalid_value'],
  ] as const) {
    const answer = await ask('refused', { notify });
    assert.deepEqual([answer.status, answer.json['code']], [status, code], JSON.stringify(notify));
  }
  const alone = await call('POST', '/api/1/composes/', {
    body: { source: { type: 'tag', source: 'f26', packages: ['ed'] }, notify: [hook('/')] },
    headers: { 'X-Remote-User': 'jana@EXAMPLE.COM' },
  });
  assert.deepEqual([alone.status, alone.json['code']], [400, 'request.invalid_value']);
  assert.equal((await call('GET', '/api/1/series/refused')).status, 404);
});

test('a series shows the hosts that are told, not the whole addresses', async () => {
  await ask('shown', { notify: [hook('/secret-token')] });
  const answer = await call('GET', '/api/1/series/shown');
  assert.deepEqual(answer.json['notify'], [{ host, only: ['composed', 'failed'] }]);
  assert.doesNotMatch(answer.text, /secret-token/);
});

test('a rule that takes a series over ends what its owner had told, and says itself who hears', async () => {
  const { json } = await ask('taken', { notify: [hook('/owner')] });
  await transaction(api.database, (tx) => noteSeries(tx, { name: 'taken', owner: 'rule:r', readers: null }));
  await end(json['id'], 'publish', done);
  assert.deepEqual(await waiting(), []);
  const answer = await ask('taken', { notify: [hook('/owner')] }, 'root');
  assert.deepEqual([answer.status, answer.json['code']], [409, 'series.notify_of_rule']);
});

async function givenCompose(
  series: string,
  owner: string,
  { ofSeries, ofCompose }: { readonly ofSeries: Readers | null; readonly ofCompose: Readers | null },
): Promise<number> {
  return transaction(api.database, async (tx) => {
    await tx.sql
      .insertInto('series')
      .values({
        name: series,
        owner: 'jana',
        rule: null,
        keep: null,
        notify: JSON.stringify([{ webhook: `${server.url}/private`, only: ['composed'] }]),
        readers: ofSeries === null ? null : JSON.stringify(ofSeries),
        created_at: tx.now,
      })
      .execute();
    const request: ComposeRequest = { ...defaultRequest, sourceType: 'tag', source: ['f26'] };
    const wanted = { owner, request, priority: 'normal', series } as const;
    return (await createCompose(tx, { ...wanted, readers: ofCompose })).id;
  });
}

const few: Readers = { users: [], groups: ['embargo'] };
const fewer: Readers = { users: ['root'], groups: [] };

for (const [title, owner, ofSeries, ofCompose, isTold] of [
  ['of a private series by its owner', 'jana', few, null, true],
  ['of a private series by an admin', 'root', few, null, true],
  ['that its owner made for themselves in an open series', 'jana', null, fewer, true],
  ['that an admin opened to fewer people than the series', 'root', null, fewer, false],
] as const) {
  test(`a compose ${title} is ${isTold ? 'told' : 'not told'} to the webhooks of its owner`, async () => {
    const id = await givenCompose(`private-${title.replaceAll(' ', '-')}`, owner, { ofSeries, ofCompose });
    await end(id, 'publish', done);
    assert.equal((await waiting()).length, isTold ? 1 : 0);
  });
}

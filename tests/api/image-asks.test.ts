import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createApp } from '../../src/api/app.ts';
import { CacheRegistry } from '../../src/cache/cache-registry.ts';
import { createLocker } from '../../src/composer/lock/create-locker.ts';
import { sharedPath } from '../shared.ts';
import { givenCompose } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());
const lock = createLocker({ targetDir: api.targetDir, caches: new CacheRegistry() });
const app = createApp({ ...api.context, lock });

async function put(name: string, body: object): Promise<{ status: number; json: Record<string, unknown> }> {
  const answer = await app.request(`/api/1/images/${name}`, { method: 'PUT', body: JSON.stringify(body) });
  const json: Record<string, unknown> = JSON.parse(await answer.text());
  return { status: answer.status, json };
}

/** Publishes some packages as the newest compose of a series. */
async function givenShown(series: string): Promise<number> {
  const id = await givenCompose(
    api,
    { state: 'done', time_done: api.now },
    { source: { type: 'tag', source: 'f26', packages: ['e-lib'] }, series },
  );
  const directory = join(api.targetDir, `odcs-${id}`, 'compose/Temporary/x86_64/os');
  mkdirSync(directory, { recursive: true });
  cpSync(sharedPath('pungi', 'repos', 'edge'), directory, { recursive: true });
  return id;
}

test('an image that says what it asks for holds the closure of that in what its series shows', async () => {
  const id = await givenShown('asked');
  const told = await put('editor', { series: 'asked', asks: ['e-needs-broken'] });
  assert.equal(told.status, 200, JSON.stringify(told.json));
  assert.deepEqual(told.json['asks'], ['e-needs-broken']);
  const { x86_64: held = {} } = told.json['packages'] as Record<string, Record<string, string>>;
  // What the series lacks of e-broken is taken for the base image's.
  assert.deepEqual(Object.keys(held), ['e-broken', 'e-needs-broken']);
  const changes = await api.call('GET', `/api/1/composes/${id}/images`);
  assert.deepEqual([changes.json['images'], changes.json['unchanged']], [[], ['editor']]);
  assert.match((await api.call('GET', '/console/series/asked')).text, /what e-needs-broken needs/);
  const plain = await put('editor', { series: 'asked', packages: { x86_64: ['e-lib-0-1.x86_64'] } });
  assert.equal(plain.json['asks'], null, 'told packages end it');
});

test('what the base image has is left out of what an image asks for', async () => {
  await givenShown('based');
  const asks = { packages: ['e-needs-broken'], arches: ['x86_64'], installed: ['e-broken-1-1.x86_64'] };
  const told = await put('based', { series: 'based', asks });
  assert.deepEqual(Object.keys((told.json['packages'] as { x86_64: object }).x86_64), ['e-needs-broken']);
});

for (const [title, series, asks, status, code] of [
  ['of a series that shows nothing', 'empty', ['e-lib'], 404, 'series.nothing_shown'],
  ['for a package that is not there', 'asked', ['vim'], 400, 'lock.package_unknown'],
  ['for nothing', 'asked', [], 400, 'request.invalid_value'],
  ['for everything', 'asked', { arches: ['x86_64'] }, 400, 'request.invalid_value'],
  ['for another arch', 'asked', { packages: ['e-lib'], arches: ['s390x'] }, 400, 'lock.arch_unknown'],
  ['with a key nobody knows', 'asked', { packages: ['e-lib'], pakages: [] }, 400, 'lock.request_invalid'],
] as const) {
  test(`an image that asks ${title} is refused`, async () => {
    const answer = await put('refused', { series, asks });
    assert.deepEqual([answer.status, answer.json['code']], [status, code]);
    assert.equal((await api.call('GET', '/api/1/images/refused')).status, 404);
  });
}

test('an image that asks for packages needs a server that has the composes', async () => {
  const answer = await api.call('PUT', '/api/1/images/other', { body: { series: 'asked', asks: ['e-lib'] } });
  assert.deepEqual([answer.status, answer.json['code']], [501, 'lock.unavailable']);
});

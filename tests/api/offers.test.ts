import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { recordProcess } from '../../src/database/processes.ts';
import type { Offers } from '../../src/model/offers.ts';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.database.kysely.deleteFrom('processes').execute();
});

/** A process that was seen so many seconds ago. */
async function givenProcess(offers: Offers, { roles = ['composer'], seenAgo = 0 } = {}): Promise<void> {
  const id = randomUUID();
  await recordProcess(api.database.kysely, { id, host: 'h', version: '1', roles, offers, skewMs: 0 });
  await sql`update processes set last_seen = now() - make_interval(secs => ${seenAgo}) where id = ${id}`.execute(
    api.database.kysely,
  );
}

const words: Readonly<Record<string, string>> = {
  module: 'a:b',
  pungi_compose: 'http://127.0.0.1/c/compose/Server',
};

async function ask(type: string, results: readonly string[] = []): Promise<readonly [number, unknown]> {
  const body = { source: { type, source: words[type] ?? 'x' }, results };
  const { status, json } = await api.call('POST', '/api/1/composes/', { body });
  return [status, json['code'] ?? json['state_name']];
}
const noType = [400, 'compose.source_type_unavailable'] as const;
const noResult = [400, 'compose.result_unavailable'] as const;

test('where no composer was ever seen, what this version can make is accepted', async () => {
  assert.deepEqual(await ask('tag'), [200, 'wait']);
  for (const type of ['pulp', 'pungi_compose']) assert.deepEqual(await ask(type), [200, 'wait']);
  assert.deepEqual(await ask('tag', ['iso']), [200, 'wait']);
  for (const result of ['boot.iso', 'ostree']) assert.deepEqual(await ask('tag', [result]), noResult);
});

test('no DVD is made of packages that are not in the compose', async () => {
  await givenProcess({ sourceTypes: ['pulp', 'tag'], results: ['repository', 'iso'] });
  assert.deepEqual(await ask('tag', ['iso']), [200, 'wait']);
  assert.deepEqual(await ask('pulp', ['repository']), [200, 'wait']);
  assert.deepEqual(await ask('pulp', ['iso']), noResult);
});

test('what some composer makes is accepted, and listed', async () => {
  await givenProcess({ sourceTypes: ['repo'], results: ['repository'] });
  await givenProcess({ sourceTypes: ['tag'], results: ['repository'] });
  await givenProcess({ sourceTypes: [], results: [] }, { roles: ['api'] });
  assert.deepEqual(await ask('tag'), [200, 'wait']);
  for (const type of ['module', 'pulp', 'pungi_compose']) assert.deepEqual(await ask(type), noType);
  const { json } = await api.call('GET', '/api/1/about/');
  assert.deepEqual([json['source_types'], json['results']], [['repo', 'tag'], ['repository']]);
});

test('a composer that ended counts only while none runs', async () => {
  await givenProcess({ sourceTypes: ['tag', 'repo'], results: ['repository'] }, { seenAgo: 3_600 });
  assert.deepEqual(await ask('tag'), [200, 'wait']);
  assert.deepEqual(await ask('build'), noType);
  await givenProcess({ sourceTypes: ['repo'], results: ['repository'] });
  assert.deepEqual(await ask('tag'), noType);
});

test('a process that was not seen for a day is forgotten', async () => {
  await givenProcess({ sourceTypes: ['tag'], results: ['repository'] }, { seenAgo: 86_500 });
  await givenProcess({ sourceTypes: [], results: [] }, { roles: ['api'] });
  const rows = await api.database.kysely.selectFrom('processes').select('roles').execute();
  assert.deepEqual(rows, [{ roles: ['api'] }]);
});

test('what cannot be made any more lives on, but is not made again', async () => {
  await givenProcess({ sourceTypes: ['tag'], results: ['repository', 'iso'] });
  const body = { source: { type: 'tag', source: 'x' }, results: ['iso'] };
  const done = await givenCompose(api, { state: 'done' }, body);
  const failed = await givenCompose(api, { state: 'failed' }, body);
  await api.database.kysely.deleteFrom('processes').execute();
  await givenProcess({ sourceTypes: ['tag'], results: ['repository'] });
  const path = (id: number): string => `/api/1/composes/${id}`;
  assert.equal((await api.call('PATCH', path(done))).status, 200);
  const again = await api.call('PATCH', path(failed));
  assert.deepEqual([again.status, again.json['code']], noResult);
  await changeCompose(api, done, { state: 'removed' });
  assert.equal((await api.call('PATCH', path(done))).status, 400);
});

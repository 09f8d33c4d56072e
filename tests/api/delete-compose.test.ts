import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { findCompose } from '../../src/database/composes.ts';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const kerberos = api.withSettings({
  auth_backend: 'kerberos',
  admins: { users: ['root'], groups: ['releng'] },
  allowed_clients: { users: { osbs: {}, other: {} }, groups: {} },
});
const as = (user: string) => ({ headers: { 'X-Remote-User': `${user}@EXAMPLE.COM` } });
const show = async (id: number) => (await api.call('GET', `/api/1/composes/${id}`)).json;

test('a waiting compose is cancelled by its owner', async () => {
  const id = await givenCompose(api, { owner: 'osbs' });
  const { status, json } = await kerberos('DELETE', `/api/1/composes/${id}`, as('osbs'));
  assert.equal(status, 202);
  assert.deepEqual(json, { status: 202, message: `Compose (id=${id}) has been canceled` });
  const compose = await show(id);
  assert.deepEqual(
    [compose['state_name'], compose['state_reason'], compose['removed_by'], compose['time_done']],
    ['failed', 'Canceled by osbs', null, null],
  );
});

test('with ?only=cancel one that has ended stays, and another word is refused', async () => {
  for (const state of ['done', 'failed'] as const) {
    const id = await givenCompose(api, { owner: 'osbs', state });
    const { status, json } = await kerberos('DELETE', `/api/1/composes/${id}?only=cancel`, as('root'));
    assert.deepEqual([status, json['code']], [409, 'compose.ended']);
    assert.equal((await show(id))['removed_by'], null);
  }
  const waiting = await givenCompose(api, { owner: 'osbs' });
  assert.equal((await kerberos('DELETE', `/api/1/composes/${waiting}?only=all`, as('osbs'))).status, 400);
  assert.equal((await show(waiting))['state_name'], 'wait');
  assert.equal((await kerberos('DELETE', `/api/1/composes/${waiting}?only=cancel`, as('osbs'))).status, 202);
  assert.equal((await show(waiting))['state_name'], 'failed');
});

test('a waiting compose is cancelled by an admin, by user or by group, and by nobody else', async () => {
  const id = await givenCompose(api, { owner: 'osbs' });
  const refused = await kerberos('DELETE', `/api/1/composes/${id}`, as('other'));
  assert.deepEqual(
    [refused.status, refused.json['message']],
    [403, `Compose (id=${id}) can not be canceled, it's owned by someone else.`],
  );
  assert.equal((await show(id))['state_name'], 'wait');
  assert.equal((await kerberos('DELETE', `/api/1/composes/${id}`, as('root'))).status, 202);
  const second = await givenCompose(api, { owner: 'osbs' });
  const headers = { 'X-Remote-User': 'kim@EXAMPLE.COM', 'X-Remote-Groups': 'users, releng' };
  assert.equal((await kerberos('DELETE', `/api/1/composes/${second}`, { headers })).status, 202);
});

test('without authentication anybody cancels, as anonymous', async () => {
  const id = await givenCompose(api);
  assert.equal((await api.call('DELETE', `/api/1/composes/${id}`)).status, 202);
  assert.equal((await show(id))['state_reason'], 'Canceled by anonymous');
});

test('a running compose is asked to stop, by its owner or an admin', async () => {
  const id = await givenCompose(api, { owner: 'osbs', state: 'generating' });
  const refused = await kerberos('DELETE', `/api/1/composes/${id}`, as('other'));
  assert.deepEqual([refused.status, refused.json['message']], [403, 'User other is not in role admins.']);
  const { status, json } = await kerberos('DELETE', `/api/1/composes/${id}`, as('osbs'));
  assert.equal(status, 202);
  assert.match(
    String(json['message']),
    new RegExp(`^The cancel request for compose \\(id=${id}\\) has been accepted`),
  );
  const compose = await findCompose(api.database.kysely, id);
  assert.deepEqual([compose?.state, compose?.cancelRequestedBy], ['generating', 'osbs']);
  await kerberos('DELETE', `/api/1/composes/${id}`, as('root'));
  assert.equal((await findCompose(api.database.kysely, id))?.cancelRequestedBy, 'osbs');
});

test('a compose that only waits for the directory of another is cancelled at once', async () => {
  const leader = await givenCompose(api, { state: 'generating' });
  const id = await givenCompose(api, { state: 'generating', reused_id: leader });
  await api.call('DELETE', `/api/1/composes/${id}`);
  assert.equal((await show(id))['state_name'], 'failed');
  assert.equal((await show(leader))['state_name'], 'generating');
});

for (const state of ['done', 'failed'] as const) {
  test(`a ${state} compose is given to the janitor, by admins only`, async () => {
    const id = await givenCompose(api, { owner: 'osbs', state, state_reason: 'as it was' });
    const refused = await kerberos('DELETE', `/api/1/composes/${id}`, as('osbs'));
    assert.deepEqual([refused.status, refused.json['message']], [403, 'User osbs is not in role admins.']);
    for (const attempt of ['first', 'second']) {
      const { status, json } = await kerberos('DELETE', `/api/1/composes/${id}`, as('root'));
      assert.equal(status, 202, attempt);
      assert.deepEqual(json, {
        status: 202,
        message: `The delete request for compose (id=${id}) has been accepted and will be processed by backend later.`,
      });
    }
    const compose = await show(id);
    assert.deepEqual(
      [compose['state_name'], compose['state_reason'], compose['removed_by'], compose['time_to_expire']],
      [state, 'as it was', 'root', '2026-11-22T10:00:00Z'],
    );
  });
}

test('a removed compose cannot be removed', async () => {
  const id = await givenCompose(api, { state: 'removed' });
  const { status, json } = await api.call('DELETE', `/api/1/composes/${id}`);
  assert.deepEqual(
    [status, json['message']],
    [400, `Compose (id=${id}) can not be removed, its state need to be in ['done', 'failed'].`],
  );
});

test('a compose that does not exist is 404 before any role is looked at', async () => {
  const { status, json } = await kerberos('DELETE', '/api/1/composes/999999', as('nobody'));
  assert.deepEqual([status, json['message']], [404, 'No such compose found.']);
});

test('ten cancellations at once: one cancels, the rest find a compose that has ended', async () => {
  const id = await givenCompose(api);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => api.call('DELETE', `/api/1/composes/${id}`)),
  );
  const cancelled = answers.filter((answer) => /has been canceled/.test(answer.text));
  assert.equal(cancelled.length, 1);
  assert.ok(answers.every((answer) => answer.status === 202));
});

test('what an admin had removed is not kept by the wish of another', async () => {
  const call = api.withSettings({
    auth_backend: 'kerberos',
    allowed_clients: { users: { bob: {}, root: {} }, groups: {} },
    admins: { users: ['root'], groups: [] },
  });
  const as = (user: string) => ({ headers: { 'X-Remote-User': `${user}@A` } });
  const id = await givenCompose(api, { state: 'done', owner: 'bob' });
  const reuser = await givenCompose(api, { state: 'done', owner: 'bob', reused_id: id });
  const path = `/api/1/composes/${id}`;
  assert.equal((await call('DELETE', path, as('root'))).status, 202);
  const { status, json } = await call('PATCH', path, as('bob'));
  assert.deepEqual([status, json['code']], [409, 'compose.being_removed']);
  const expiry = async (): Promise<unknown> => (await call('GET', path)).json['time_to_expire'];
  const marked = await expiry();
  assert.equal((await call('PATCH', `/api/1/composes/${reuser}`, as('bob'))).status, 200);
  assert.equal(await expiry(), marked);
  assert.equal((await call('PATCH', path, as('root'))).status, 200);
  assert.notEqual(await expiry(), marked);
  // It lives again, for everybody.
  assert.equal((await call('PATCH', path, as('bob'))).status, 200);
});

test('who may not use a target directory does not renew into it', async () => {
  const call = api.withSettings({
    auth_backend: 'kerberos',
    allowed_clients: { users: { bob: {}, rel: { target_dirs: ['private'] } }, groups: {} },
    extra_target_dirs: { private: '/srv/private' },
  });
  const as = (user: string) => ({ headers: { 'X-Remote-User': `${user}@A` } });
  const body = { source: { type: 'tag', source: 'f26' }, target_dir: 'private' };
  const { json } = await call('POST', '/api/1/composes/', { ...as('rel'), body });
  const id = Number(json['id']);
  for (const state of ['done', 'removed'] as const) {
    await changeCompose(api, id, { state });
    assert.equal((await call('PATCH', `/api/1/composes/${id}`, as('bob'))).status, 403);
    assert.equal((await call('PATCH', `/api/1/composes/${id}`, as('rel'))).status, 200);
  }
});

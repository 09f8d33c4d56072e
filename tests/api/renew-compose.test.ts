import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());
afterEach(() => {
  api.now = new Date('2026-11-22T10:00:00Z');
});

const done = { state: 'done', time_to_expire: new Date('2026-11-22T11:00:00Z') } as const;
const patch = (id: number, body?: unknown) =>
  api.call('PATCH', `/api/1/composes/${id}`, body === undefined ? {} : { body });

test('a done compose lives longer, as the same compose', async () => {
  const id = await givenCompose(api, done);
  const { status, json } = await patch(id, { seconds_to_live: 7200 });
  assert.equal(status, 200);
  assert.deepEqual([json['id'], json['time_to_expire']], [id, '2026-11-22T12:00:00Z']);
});

test('without a body the default life counts from now', async () => {
  const id = await givenCompose(api, done);
  assert.equal((await patch(id)).json['time_to_expire'], '2026-11-23T10:00:00Z');
  assert.equal((await patch(id, {})).status, 200);
});

test('renewing never shortens a life', async () => {
  const id = await givenCompose(api, { ...done, time_to_expire: new Date('2026-11-25T00:00:00Z') });
  const { json } = await patch(id, { seconds_to_live: 60 });
  assert.equal(json['time_to_expire'], '2026-11-25T00:00:00Z');
});

test('a longer life reads nothing and so asks for no host; making it again does', async () => {
  const asked = {
    source: { type: 'repo', source: 'https://repos.example.com/os' },
    lookaside_repos: ['https://l.example.com/os'],
  };
  const call = api.withSettings({ repo_hosts: ['repos.example.com', 'l.example.com'] });
  const [living, failed] = await Promise.all(
    (['done', 'failed'] as const).map(async (state) => {
      const { json } = await call('POST', '/api/1/composes/', { body: asked });
      await changeCompose(api, Number(json['id']), { ...done, state });
      return Number(json['id']);
    }),
  );
  assert.ok(living !== undefined && failed !== undefined);
  assert.equal((await patch(living, { seconds_to_live: 600 })).json['id'], living);
  const refused = await patch(failed, { seconds_to_live: 600 });
  assert.deepEqual([refused.status, refused.json['code']], [403, 'repo.not_allowed']);
});

test('the compose it shows and those that show it live on with it, removed ones do not', async () => {
  const shown = await givenCompose(api, done);
  const id = await givenCompose(api, { ...done, reused_id: shown });
  const other = await givenCompose(api, { ...done, reused_id: id });
  const gone = await givenCompose(api, { ...done, state: 'removed', reused_id: id });
  await patch(id, { seconds_to_live: 7200 });
  const lives = await Promise.all(
    [shown, id, other, gone].map(
      async (compose) => (await api.call('GET', `/api/1/composes/${compose}`)).json['time_to_expire'],
    ),
  );
  assert.deepEqual(lives, [
    '2026-11-22T12:00:00Z',
    '2026-11-22T12:00:00Z',
    '2026-11-22T12:00:00Z',
    '2026-11-22T11:00:00Z',
  ]);
});

test('a compose whose shown directory is gone is made again', async () => {
  const shown = await givenCompose(api, { ...done, state: 'removed' });
  const id = await givenCompose(api, { ...done, reused_id: shown });
  const { json } = await patch(id);
  assert.notEqual(json['id'], id);
  assert.equal(json['state_name'], 'wait');
});

for (const state of ['failed', 'removed'] as const) {
  test(`a ${state} compose is made again as it was pinned`, async () => {
    const id = await givenCompose(
      api,
      {
        state,
        owner: 'somebody',
        source: 'nodejs:18:1:abc other:1:2:def',
        koji_event: 77,
        pungi_compose_id: `P-${state}`,
        sigkeys: 'k1 ',
        state_reason: 'because',
      },
      {
        source: { type: 'module', source: 'nodejs:18' },
        label: 'L-1',
        flags: ['no_deps'],
        seconds_to_live: 60,
      },
    );
    api.now = new Date('2026-11-23T00:00:00Z');
    const { status, json } = await patch(id, { seconds_to_live: 3600 });
    assert.equal(status, 200);
    assert.notEqual(json['id'], id);
    const kept = ['source', 'koji_event', 'sigkeys', 'label', 'flags', 'respin_of', 'owner', 'state_name'];
    assert.deepEqual(
      kept.map((key) => json[key]),
      ['nodejs:18:1:abc other:1:2:def', 77, 'k1 ', 'L-1', ['no_deps'], `P-${state}`, 'unknown', 'wait'],
    );
    const fresh = ['state_reason', 'pungi_compose_id', 'removed_by', 'time_started', 'time_done'];
    assert.deepEqual(
      fresh.map((key) => json[key]),
      [null, null, null, null, null],
    );
    assert.deepEqual(
      [json['time_submitted'], json['time_to_expire']],
      ['2026-11-23T00:00:00Z', '2026-11-23T01:00:00Z'],
    );
  });
}

test('other signing keys make a copy, the same ones do not', async () => {
  const id = await givenCompose(api, { ...done, sigkeys: 'a b ' });
  assert.equal((await patch(id, { sigkeys: ['a', 'b', ''] })).json['id'], id);
  for (const sigkeys of [['a', 'b'], ['b', 'a', ''], []]) {
    const { json } = await patch(id, { sigkeys });
    assert.notEqual(json['id'], id);
    assert.equal(json['sigkeys'], sigkeys.join(' '));
  }
});

test('builds and modules make a copy; an empty list makes one with the old value', async () => {
  const source = { type: 'build', builds: ['old-1-1'] };
  const id = await givenCompose(api, done, { source });
  const renewed = await patch(id, { source: { builds: ['new-1-1'] } });
  assert.notEqual(renewed.json['id'], id);
  assert.equal(renewed.json['builds'], 'new-1-1');
  const same = await patch(id, { source: { builds: [] } });
  assert.notEqual(same.json['id'], id);
  assert.equal(same.json['builds'], 'old-1-1');
  const modules = await patch(id, { source: { modules: ['n:s:1:c'] } });
  assert.deepEqual([modules.json['builds'], modules.json['modules']], ['old-1-1', 'n:s:1:c']);
});

for (const state of ['wait', 'generating'] as const) {
  test(`a compose in ${state} cannot be renewed`, async () => {
    const id = await givenCompose(api, { state });
    const { status, json } = await patch(id);
    assert.deepEqual([status, json['message']], [404, `No compose with id ${id} found`]);
  });
}

test('a compose that does not exist cannot be renewed', async () => {
  assert.equal((await patch(999_999)).json['message'], 'No compose with id 999999 found');
  assert.equal((await api.call('PATCH', '/api/1/composes/99999999999999999999')).status, 404);
});

test('PATCH scans its body as POST does', async () => {
  const id = await givenCompose(api, done);
  assert.equal((await patch(id, { sigkeys: 'a b' })).json['message'], 'sigkeys should be a list');
  assert.equal((await patch(id, { label: null })).json['message'], 'label should be a string');
  assert.equal((await patch(id, { source: 'harmless' })).status, 200);
});

test('release 0.0.1 renews with POST and an id', async () => {
  const id = await givenCompose(api, { state: 'removed' });
  const answer = await api.call('POST', '/odcs/1/composes/', { body: { id, 'seconds-to-live': 60 } });
  assert.equal(answer.status, 200);
  assert.equal(answer.json['time_to_expire'], '2026-11-22T10:01:00Z');
  const waiting = await givenCompose(api);
  const refused = await api.call('POST', '/odcs/1/composes/', { body: { id: waiting } });
  assert.deepEqual(
    [refused.status, refused.json['message']],
    [400, `No expired or failed compose with id ${waiting}`],
  );
});

test('ten renewals at once of a removed compose all answer, each with a compose of its own', async () => {
  const id = await givenCompose(api, { state: 'removed' });
  const answers = await Promise.all(Array.from({ length: 10 }, () => patch(id)));
  assert.equal(new Set(answers.map((answer) => answer.json['id'])).size, 10);
});

test('renewals at once of composes that share a directory do not wait for each other for ever', async () => {
  const shown = await givenCompose(api, done);
  const ids = [shown];
  for (let count = 0; count < 4; count += 1) ids.push(await givenCompose(api, { ...done, reused_id: shown }));
  const rounds = Array.from({ length: 8 }, () => ids).flat();
  const answers = await Promise.all(rounds.map((id) => patch(id, { seconds_to_live: 7200 })));
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
});

test('a renewal and a removal at once leave either a living compose or a refusal, never both', async () => {
  const id = await givenCompose(api, done);
  await changeCompose(api, id, { state: 'done' });
  const [renewal, removal] = await Promise.all([patch(id), api.call('DELETE', `/api/1/composes/${id}`)]);
  assert.deepEqual([renewal.status, removal.status], [200, 202]);
});

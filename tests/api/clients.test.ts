import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

/** What the clients in the wild do, request by request. Source: ODCS contract 23. */
const json = { 'Content-Type': 'application/json' };

test('the Python library asks, waits, renews, deletes and asks for about', async () => {
  const body = {
    source: { type: 'tag', source: 'f26', packages: ['httpd'], sigkeys: ['', '123'] },
    'seconds-to-live': 600,
    flags: ['no_deps'],
    results: ['boot.iso'],
  };
  const asked = await api.call('POST', '/api/1/composes/', { body, headers: json });
  assert.equal(asked.status, 200);
  assert.deepEqual(
    ['time_to_expire', 'flags', 'results', 'sigkeys'].map((key) => asked.json[key]),
    ['2026-11-22T10:10:00Z', ['no_deps'], ['repository', 'boot.iso'], ' 123'],
  );
  const path = `/api/1/composes/${Number(asked.json['id'])}`;
  assert.equal((await api.call('GET', path)).json['state_name'], 'wait');
  await changeCompose(api, Number(asked.json['id']), { state: 'done' });
  assert.equal((await api.call('GET', path)).json['state'], 2);
  const renewed = await api.call('PATCH', path, { body: { 'seconds-to-live': 1200 }, headers: json });
  assert.equal(renewed.json['time_to_expire'], '2026-11-22T10:20:00Z');
  assert.equal((await api.call('DELETE', path)).status, 202);
  const about = await api.call('GET', '/api/1/about');
  const target = new URL(about.headers.get('location') ?? '');
  assert.equal((await api.call('GET', target.pathname)).json['auth_backend'], 'noauth');
});

for (const base of ['/api/1', '/odcs/1']) {
  test(`atomic-reactor with the base ${base} asks, polls, renews and gives up`, async () => {
    const body = {
      source: { type: 'tag', source: 'f26-build', sigkeys: ['K1', 'K2'], packages: [] },
      arches: ['s390x', 'x86_64'],
      multilib_arches: ['x86_64'],
      multilib_method: ['devel', 'runtime'],
    };
    const asked = await api.call('POST', `${base}/composes/`, { body, headers: json });
    assert.equal(asked.status, 200);
    const path = `${base}/composes/${Number(asked.json['id'])}`;
    const shown = (await api.call('GET', path)).json;
    assert.match(String(shown['time_to_expire']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(String(shown['arches']).split(' '), ['s390x', 'x86_64']);
    assert.deepEqual([shown['packages'], shown['multilib_method'], shown['source_type']], ['', 3, 1]);
    await changeCompose(api, Number(asked.json['id']), { state: 'generating' });
    assert.equal((await api.call('DELETE', path)).status, 202);
    await changeCompose(api, Number(asked.json['id']), { state: 'done' });
    const same = await api.call('PATCH', path, { body: { sigkeys: ['K1', 'K2'] }, headers: json });
    assert.equal(same.json['id'], asked.json['id']);
    assert.equal((await api.call('PATCH', path, { body: {}, headers: json })).json['id'], asked.json['id']);
  });
}

test('atomic-reactor asks for modules and reads what they were resolved to', async () => {
  const body = {
    source: { type: 'module', source: 'nodejs:18 flatpak-runtime:f36:2:abc' },
    arches: ['x86_64'],
  };
  const asked = await api.call('POST', '/api/1/composes/', { body });
  assert.deepEqual(
    [asked.json['source_type'], asked.json['source']],
    [2, 'nodejs:18 flatpak-runtime:f36:2:abc'],
  );
  const id = Number(asked.json['id']);
  await changeCompose(api, id, { state: 'done', source: 'flatpak-runtime:f36:2:abc nodejs:18:1:def' });
  const { json: done } = await api.call('GET', `/api/1/composes/${id}`);
  assert.equal(done['source'], 'flatpak-runtime:f36:2:abc nodejs:18:1:def');
});

test('Freshmaker and cekit ask for builds and content sets', async () => {
  const builds = { source: { type: 'build', source: '', builds: ['a-1-1', 'b-2-1'] }, flags: ['no_deps'] };
  assert.equal((await api.call('POST', '/api/1/composes/', { body: builds })).json['builds'], 'a-1-1 b-2-1');
  const pulp = {
    source: { type: 'pulp', source: 'rhel-8-baseos rhel-8-appstream' },
    flags: ['use_only_compatible_arch', 'ignore_absent_pulp_repos'],
    arches: ['x86_64'],
  };
  const { json: asked } = await api.call('POST', '/api/1/composes/', { body: pulp });
  assert.deepEqual(asked['flags'], ['ignore_absent_pulp_repos', 'use_only_compatible_arch']);
  assert.match(String(asked['result_repofile']), /\/odcs-\d+\/compose\/Temporary\/odcs-\d+\.repo$/);
});

test('a compose that reuses another shows the directory of that one', async () => {
  const shown = await givenCompose(api, { state: 'done' });
  const id = await givenCompose(api, { state: 'done', reused_id: shown });
  const { json: compose } = await api.call('GET', `/api/1/composes/${id}`);
  assert.equal(compose['id'], id);
  assert.equal(compose['toplevel_url'], `http://odcs.example.com/composes/odcs-${shown}`);
});

test('curl renews with a form content type, which ODCS took for no body', async () => {
  const id = await givenCompose(api, { state: 'done', sigkeys: 'a' });
  const { json: renewed } = await api.call('PATCH', `/api/1/composes/${id}`, {
    text: '{"sigkeys": ["b"]}',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  assert.notEqual(renewed['id'], id);
  assert.equal(renewed['sigkeys'], 'b');
});

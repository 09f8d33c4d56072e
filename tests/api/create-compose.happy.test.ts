import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { composeJson, reviveCompose } from '../../src/model/compose-json.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const tag = { source: { type: 'tag', source: 'f26', packages: ['httpd'] } };

test('POST answers 200 with the 42 keys of a compose in state wait', async () => {
  const answer = await api.call('POST', '/api/1/composes/', { body: tag });
  assert.equal(answer.status, 200);
  assert.deepEqual(
    { ...answer.json, id: 0 },
    {
      arches: 'x86_64',
      base_module_br_name: null,
      base_module_br_stream: null,
      base_module_br_stream_version_gte: null,
      base_module_br_stream_version_lte: null,
      builds: null,
      compose_type: 'test',
      flags: [],
      id: 0,
      koji_event: null,
      koji_task_id: null,
      label: null,
      lookaside_repos: '',
      modular_koji_tags: null,
      module_defaults_url: null,
      modules: null,
      multilib_arches: '',
      multilib_method: 0,
      owner: 'unknown',
      packages: 'httpd',
      parent_pungi_compose_ids: null,
      pungi_compose_id: null,
      removed_by: null,
      respin_of: null,
      result_repo: `http://odcs.example.com/composes/odcs-${String(answer.json['id'])}/compose/Temporary`,
      result_repofile: `http://odcs.example.com/composes/odcs-${String(answer.json['id'])}/compose/Temporary/odcs-${String(answer.json['id'])}.repo`,
      results: ['repository'],
      scratch_build_tasks: null,
      scratch_modules: null,
      sigkeys: '',
      source: 'f26',
      source_type: 1,
      state: 0,
      state_name: 'wait',
      state_reason: null,
      target_dir: 'default',
      time_done: null,
      time_removed: null,
      time_started: null,
      time_submitted: '2026-11-22T10:00:00Z',
      time_to_expire: '2026-11-23T10:00:00Z',
      toplevel_url: `http://odcs.example.com/composes/odcs-${String(answer.json['id'])}`,
    },
  );
});

test('JSON is compact, has sorted keys, escapes what is not ASCII and ends with a newline', async () => {
  const body = { ...tag, label: 'Größe' };
  const { text, headers } = await api.call('POST', '/api/1/composes/', { body });
  assert.equal(headers.get('content-type'), 'application/json');
  assert.match(text, /^\{"arches":"x86_64","base_module_br_name":null,.*\}\n$/);
  assert.match(text, /"label":"Gr\\u00f6\\u00dfe"/);
});

test('the flat form of release 0.0.1 is the same request under both addresses', async () => {
  const flat = {
    source_type: 'tag',
    source: 'f26',
    packages: ['httpd'],
    'seconds-to-live': '3600',
    flags: ['no_deps'],
  };
  for (const path of ['/odcs/1/composes', '/odcs/1/composes/', '/api/1/composes/', '/api/1/composes']) {
    const { status, json } = await api.call('POST', path, { body: flat });
    assert.equal(status, 200, path);
    assert.equal(json['packages'], 'httpd');
    assert.equal(json['source_type'], 1);
    assert.deepEqual(json['flags'], ['no_deps']);
    assert.equal(json['time_to_expire'], '2026-11-22T11:00:00Z');
  }
});

test('the form of today is understood under the first address too', async () => {
  const { status, json } = await api.call('POST', '/odcs/1/composes/', { body: tag });
  assert.equal(status, 200);
  assert.equal(json['source'], 'f26');
});

test('a body is read as JSON whatever its content type says', async () => {
  const { status } = await api.call('POST', '/api/1/composes/', {
    text: JSON.stringify(tag),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  assert.equal(status, 200);
});

test('the same Idempotency-Key makes one compose, however many requests carry it at once', async () => {
  const before = await api.call('GET', '/api/1/composes/');
  const headers = { 'Idempotency-Key': 'retry-1' };
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => api.call('POST', '/api/1/composes/', { body: tag, headers })),
  );
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
  assert.equal(new Set(answers.map((answer) => answer.json['id'])).size, 1);
  const now = await api.call('GET', '/api/1/composes/');
  const total = (answer: typeof now): unknown => (answer.json['meta'] as { total: number }).total;
  assert.equal(total(now), Number(total(before)) + 1);
});

test('an Idempotency-Key of another request is refused', async () => {
  const headers = { 'Idempotency-Key': 'retry-2' };
  await api.call('POST', '/api/1/composes/', { body: tag, headers });
  const other = { source: { type: 'tag', source: 'f27' } };
  const { status, json } = await api.call('POST', '/api/1/composes/', { body: other, headers });
  assert.equal(status, 409);
  assert.equal(json['code'], 'request.idempotency_key_reused');
});

test('a new compose is announced and its job is queued in the same transaction', async () => {
  const { json } = await api.call('POST', '/api/1/composes/', { body: tag });
  const row = await api.database.kysely
    .selectFrom('announcements')
    .selectAll()
    .where('compose_id', '=', Number(json['id']))
    .executeTakeFirstOrThrow();
  assert.ok(row.compose);
  assert.deepEqual(composeJson(reviveCompose(row.compose), api.context.targetDirUrls), json);
  assert.equal(await api.database.jobs.isKnown('compose.run', String(json['id'])), true);
});

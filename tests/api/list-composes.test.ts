import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { givenCompose } from './compose-rows.ts';
import { openTestApi, type Answer } from './open-test-api.ts';
import { sourceTypes } from '../../src/source-types.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

let ids: number[] = [];
before(async () => {
  ids = [
    await givenCompose(api, { state: 'done', owner: 'zoe', koji_event: 5 }),
    await givenCompose(api, { state: 'failed', owner: 'adam', koji_event: 9 }),
    await givenCompose(
      api,
      { owner: 'mia' },
      { source: { type: 'repo', source: '/srv/repo' }, label: 'RC-1.0' },
    ),
  ];
});

function idsOf(answer: Answer): number[] {
  const items = answer.json['items'];
  return Array.isArray(items) ? items.map((item: { id: number }) => ids.indexOf(item.id)) : [];
}

function metaOf(answer: Answer): Record<string, unknown> {
  return { ...(answer.json['meta'] as object) };
}

const list = (query: string): Promise<Answer> => api.call('GET', `/api/1/composes/${query}`);

test('the list has the newest first, with the 42 keys of each', async () => {
  const answer = await list('');
  assert.equal(answer.status, 200);
  assert.deepEqual(idsOf(answer), [2, 1, 0]);
  const first = (answer.json['items'] as object[])[0] ?? {};
  assert.equal(Object.keys(first).length, 42);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
});

for (const [query, expected] of [
  ['?owner=zoe', [0]],
  ['?owner=zoe&owner=mia', [0]],
  ['?owner=', [2, 1, 0]],
  ['?state=4', [1]],
  ['?state=failed', [1]],
  ['?state=seven', []],
  ['?state=7', []],
  ['?source_type=3', [2]],
  ['?source_type=repo', [2]],
  ['?source=f26', [1, 0]],
  ['?source=f26&state=2', [0]],
  ['?label=RC-1.0', [2]],
  ['?compose_type=test', [2, 1, 0]],
  ['?koji_task_id=1', []],
  ['?id=1', [2, 1, 0]],
  ['?order_by=owner', [1, 2, 0]],
  ['?order_by=-owner', [0, 2, 1]],
  ['?order_by=state', [2, 0, 1]],
  ['?order_by=id', [0, 1, 2]],
  ['?order_by=source_type', [0, 1, 2]],
  ['?order_by=-source_Type', [2, 1, 0]],
] as const) {
  test(`GET ${query} lists ${expected.length}`, async () => {
    const answer = await list(query);
    assert.equal(answer.status, 200);
    assert.deepEqual(idsOf(answer), expected);
  });
}

for (const query of ['?order_by=', '?order_by=-', '?order_by=packages', '?order_by=--id']) {
  test(`GET ${query} is refused with the keys that are allowed`, async () => {
    const { status, json } = await list(query);
    assert.equal(status, 400);
    assert.match(
      String(json['message']),
      /^An invalid order_by key was suplied, allowed keys are: \['id', 'owner', /,
    );
  });
}

test('pages carry links that keep the other keys of the query', async () => {
  const answer = await list('?per_page=1&page=2&order_by=id&owner=&endpoint=x&_secret=y');
  assert.deepEqual(idsOf(answer), [1]);
  const link = (page: number): string =>
    `http://odcs.example.com/api/1/composes/?page=${page}&per_page=1&order_by=id&owner=`;
  assert.deepEqual(metaOf(answer), {
    first: link(1),
    last: link(3),
    next: link(3),
    page: 2,
    pages: 3,
    per_page: 1,
    prev: link(1),
    total: 3,
  });
});

for (const [query, page, perPage, shown] of [
  ['?page=0', 1, 10, 3],
  ['?page=-3', 1, 10, 3],
  ['?page=two', 1, 10, 3],
  ['?per_page=-1', 1, 20, 3],
  ['?per_page=x', 1, 10, 3],
  ['?per_page=0', 1, 0, 0],
  ['?page=99999999999999', 1_000_000_000, 10, 0],
  ['?page=9', 9, 10, 0],
] as const) {
  test(`GET ${query} is page ${page} with ${perPage} per page`, async () => {
    const answer = await list(query);
    const meta = metaOf(answer);
    assert.deepEqual(
      [answer.status, meta['page'], meta['per_page'], idsOf(answer).length],
      [200, page, perPage, shown],
    );
  });
}

test('a list without rows has a last page 0 and no neighbours', async () => {
  const meta = metaOf(await list('?owner=nobody'));
  assert.match(String(meta['last']), /\?page=0&/);
  assert.deepEqual([meta['prev'], meta['next'], meta['pages']], [null, null, 0]);
});

test('the front page lists composes', async () => {
  const { status, text, headers } = await api.call('GET', '/');
  assert.equal(status, 200);
  assert.match(text, /On Demand Compose Service/);
  assert.match(text, /repo \/srv\/repo/);
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
});

test('resources without their final slash redirect for reading', async () => {
  const { status, headers } = await list('').then(() => api.call('GET', '/api/1/composes?state=2'));
  assert.equal(status, 308);
  assert.equal(headers.get('location'), 'http://odcs.example.com/api/1/composes/?state=2');
  assert.equal(
    (await api.call('GET', '/api/1/about')).headers.get('location'),
    'http://odcs.example.com/api/1/about/',
  );
});

test('forwarding headers shape links only when a trusted proxy sends them', async () => {
  const headers = {
    'X-Forwarded-Host': 'evil.example, odcs.fedora.example',
    'X-Forwarded-Proto': 'https',
    'X-Script-Name': '/odcs',
  };
  const path = '/odcs/api/1/composes/?per_page=5';
  const trusted = await api.call('GET', path, { headers });
  assert.match(
    String(metaOf(trusted)['first']),
    /^https:\/\/odcs\.fedora\.example\/odcs\/api\/1\/composes\/\?/,
  );
  const stranger = await api.call('GET', path, { headers, from: '10.0.0.9' });
  assert.equal(stranger.status, 404);
  const direct = await api.call('GET', '/api/1/composes/', { headers, from: '10.0.0.9' });
  assert.match(String(metaOf(direct)['first']), /^http:\/\/odcs\.example\.com\/api\/1\/composes\/\?/);
});

test('about tells what ODCS tells, without passwords', async () => {
  const call = api.withSettings({
    sigkeys: ['abc'],
    raw_config_urls: { a: { url: 'https://bot:hunter2@example.com/a.git', config_filename: 'p.conf' } },
  });
  const { status, json } = await call('GET', '/api/1/about/');
  assert.equal(status, 200);
  assert.deepEqual(json, {
    allowed_clients: { groups: {}, users: {} },
    auth_backend: 'noauth',
    koji_hubs: [],
    raw_config_urls: { a: { url: 'https://***@example.com/a.git', config_filename: 'p.conf' } },
    results: ['boot.iso', 'iso', 'ostree', 'repository'],
    sigkeys: ['abc'],
    source_types: Object.keys(sourceTypes).sort(),
    version: '1.2.3',
  });
});

test('metrics count composes of every type and state', async () => {
  const { status, text, headers } = await api.call('GET', '/api/1/metrics/');
  assert.equal(status, 200);
  assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(text, /^composes_total\{source_type="tag",state="done"\} 1$/m);
  assert.match(text, /^composes_total\{source_type="repo",state="wait"\} 1$/m);
  assert.equal(text.match(/^composes_total\{/gm)?.length, Object.keys(sourceTypes).length * 5);
  assert.match(text, /^odcs_jobs\{queue="compose\.run",state="queued"\} \d+$/m);
});

test('rare raw_config sources share a line of metrics, and scrapes at once agree', async () => {
  const call = api.withSettings({ raw_config_urls: { cfg: { url: 'u', config_filename: 'c' } } });
  for (const commit of ['a', 'a', 'a', 'a', 'a', 'b', 'c']) {
    const body = { source: { type: 'raw_config', source: `cfg#${commit}` } };
    assert.equal((await call('POST', '/api/1/composes/', { body })).status, 200);
  }
  // Counts are shown for half a minute: those of the application above may be older.
  const fresh = api.withSettings({});
  for (const { text } of await Promise.all([1, 2, 3].map(() => fresh('GET', '/api/1/metrics/')))) {
    assert.match(text, /^raw_config_composes_count_total\{source="cfg#a"\} 5$/m);
    assert.match(text, /^raw_config_composes_count_total\{source="cfg#other_commits_or_branches"\} 2$/m);
    assert.match(text, /^raw_config_composes_total\{source="cfg#b",state="wait"\} 1$/m);
  }
});

test('health tells of the process, the database and the other roles', async () => {
  assert.equal((await api.call('GET', '/healthz')).status, 200);
  assert.deepEqual((await api.call('GET', '/ready')).json['status'], 'ok');
  const { status, json } = await api.call('GET', '/api/1/health');
  assert.equal(status, 200);
  assert.equal(json['status'], 'ok');
});

test('the OpenAPI document names every address', async () => {
  const { status, json } = await api.call('GET', '/api/1/openapi.json');
  assert.equal(status, 200);
  const paths = Object.keys(json['paths'] as object).sort();
  for (const path of [
    '/api/1/about/',
    '/api/1/composes/',
    '/api/1/composes/{id}',
    '/api/1/composes/{id}/events',
  ]) {
    assert.ok(paths.includes(path), path);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from './open-test-api.ts';
import {
  api,
  ask,
  bodyOf,
  call,
  event,
  givenDone,
  id,
  member,
  ownEvent,
  request,
  secrets,
  stranger,
  swap,
  tick,
  who,
  window,
} from './private-compose.ts';

/** Values of the parameters of paths; a route with another one has to be given one here. */
const parameters: Readonly<Record<string, readonly string[]>> = {
  '/api/1/composes/': [String(id)],
  '/api/1/series/': ['classified-series'],
  '/api/1/rules/': ['classified-rule'],
  '/api/1/events/': [String(event), String(ownEvent), String(tick)],
  '/odcs/1/composes/': [String(id)],
  '/console/composes/': [String(id)],
  '/api/1/images/': ['classified-image'],
  '/console/series/': ['classified-series'],
  '/console/rules/': ['classified-rule'],
  '/console/events/': [String(event), String(ownEvent), String(tick)],
  '/console/requests/': [String(request)],
  '/console/windows/': [String(window)],
};

function valuesFor(before: string): readonly string[] {
  const values = parameters[before];
  assert.ok(values !== undefined, `say what a private thing is called after ${before}`);
  return values;
}

function fill(path: string): readonly string[] {
  const at = path.search(/[:{]/);
  if (at < 0) return [path];
  return valuesFor(path.slice(0, at)).map((value) => path.replace(/\{\w+\}|:\w+(?:\{[^/]*\})?/, value));
}

/** Every GET route there is: those the OpenAPI names, and pages and files, which it does not. */
async function everyGetPath(): Promise<readonly string[]> {
  const { json } = await call('GET', '/api/1/openapi.json');
  const documented = Object.entries(json['paths'] as Record<string, object>)
    .filter(([, methods]) => 'get' in methods)
    .map(([path]) => path);
  const pages = api.paths('GET').filter((path) => !path.includes('*'));
  const files = [
    '/composes/',
    '/composes/series/',
    '/composes/series/classified-series',
    '/composes/series/classified-series/',
    '/composes/series/classified-series/latest',
    '/composes/series/classified-series/latest/STATUS',
    '/composes/series/classified-series/latest.repo',
    '/composes/series/classified-series/at/2026-11-22T10:00Z/STATUS',
    `/composes/odcs-${id}/`,
    `/composes/odcs-${id}`,
    `/composes/odcs-${id}/STATUS`,
    `/composes/odcs-${id}/compose/`,
    `/composes/latest-odcs-${id}-1/STATUS`,
  ];
  const queries = [
    '/api/1/composes/?series=classified-series',
    '/api/1/images/?series=classified-series',
    '/api/1/composes/?source=classified-tag&order_by=-time_done',
    `/api/1/decisions?compose=${id}`,
    '/api/1/decisions?rule=classified-rule',
    `/api/1/rules/classified-rule/explain?event=${event}`,
    '/console/composes?series=classified-series',
    '/odcs/1/composes/',
    '/api/1/find?q=classified-package-1-1',
    '/find?q=classified-series',
  ];
  // It does not end; the test below reads it.
  const ending = [...documented, ...pages].filter((path) => path !== '/api/1/events/stream');
  return [...new Set([...ending.flatMap(fill), ...files, ...queries])];
}

/** The answer, of a stream what has come within a moment; without what the caller sent itself. */
async function askWithoutEcho(
  path: string,
  headers: Record<string, string>,
): Promise<Answer & { bare: string }> {
  const answer = await call('GET', path, { headers });
  const [bare = ''] = path.split('?');
  const shown = decodeURIComponent(bare)
    .split('/')
    .filter((name) => secrets.includes(name));
  const query = [...new URLSearchParams(path.split('?')[1] ?? '').values()];
  let left = answer.text;
  for (const echoed of [...shown, ...query]) left = left.replaceAll(echoed, '');
  return { ...answer, bare: left };
}

for (const caller of ['stranger', 'nobody'] as const) {
  test(`no address tells ${caller} of a private compose`, async () => {
    const paths = await everyGetPath();
    assert.ok(paths.length > 45, `only ${paths.length} addresses`);
    for (const path of paths) {
      const { bare, status, headers } = await askWithoutEcho(path, who[caller]);
      assert.ok(status < 500, `${path}: ${status} ${bare}`);
      for (const secret of secrets) assert.ok(!bare.includes(secret), `${path} tells of ${secret}: ${bare}`);
      assert.ok(!stripOwn(path, bare).includes(String(id)), `${path}: ${bare}`);
      if (status === 200) assert.ok(!/classified/.test(headers.get('etag') ?? ''), path);
    }
  });
}

test('readers see what strangers do not: the pages of its window and request, and builds under embargo that it swapped', async () => {
  for (const caller of ['owner', 'member'] as const) {
    const page = await call('GET', `/console/composes/${id}`, { headers: who[caller] });
    assert.ok(page.text.includes(swap), page.text);
    const manifest = await call('GET', `/api/1/composes/${id}/manifest`, { headers: who[caller] });
    assert.match(manifest.text, /swapped-build-1-2/);
  }
  for (const path of [`/console/requests/${request}`, `/console/windows/${window}`]) {
    const { status, text } = await call('GET', path, { headers: member });
    assert.equal(status, 200, path);
    assert.match(text, /classified-rule/);
  }
});

/** A problem's sentence may say the path that was asked for. */
function stripOwn(path: string, text: string): string {
  return text.replaceAll(decodeURIComponent(path), '');
}

test('what is private is answered as what does not exist', async () => {
  const missing: readonly (readonly [string, string])[] = [
    [`/api/1/composes/${id}`, '/api/1/composes/999999'],
    [`/api/1/composes/${id}/manifest`, '/api/1/composes/999999/manifest'],
    [`/api/1/composes/${id}/events`, '/api/1/composes/999999/events'],
    ['/api/1/series/classified-series', '/api/1/series/no-such-series'],
    ['/api/1/series/classified-series/badge.svg', '/api/1/series/no-such-series/badge.svg'],
    ['/api/1/rules/classified-rule/backtest', '/api/1/rules/no-such-rule/backtest'],
    [`/api/1/events/${ownEvent}`, '/api/1/events/999999'],
    ['/composes/series/classified-series/latest/STATUS', '/composes/series/no-such-series/latest/STATUS'],
    ['/composes/series/classified-series/latest.repo', '/composes/series/no-such-series/latest.repo'],
    ['/composes/series/classified-series/at/2026-11-22/x', '/composes/series/no-such-series/at/2026-11-22/x'],
    [`/composes/odcs-${id}`, '/composes/odcs-999999'],
    [`/composes/odcs-${id}/STATUS`, '/composes/odcs-999999/STATUS'],
    [`/console/composes/${id}`, '/console/composes/999999'],
    [`/console/windows/${window}`, '/console/windows/999999'],
    [`/console/requests/${request}`, '/console/requests/999999'],
  ];
  const same = (text: string): string =>
    text
      .replaceAll(/classified-series|no-such-series/g, 'S')
      .replaceAll(/classified-rule|no-such-rule/g, 'R')
      .replaceAll(new RegExp(`\\b(?:${id}|${ownEvent}|${window}|${request}|999999)\\b`, 'g'), 'N')
      .replaceAll(/"request_id":\s*"[^"]+"/g, '');
  for (const [hidden, absent] of missing) {
    const [hiddenAnswer, other] = await Promise.all([
      call('GET', hidden, { headers: stranger }),
      call('GET', absent, { headers: stranger }),
    ]);
    assert.equal(hiddenAnswer.status, 404, `${hidden}: ${hiddenAnswer.text}`);
    assert.equal(hiddenAnswer.status, other.status, hidden);
    assert.equal(same(hiddenAnswer.text), same(other.text), hidden);
  }
});

for (const [method, body] of [
  ['DELETE', undefined],
  ['PATCH', { seconds_to_live: 60 }],
] as const) {
  test(`a stranger cannot ${method} a private compose, nor learn that it is there`, async () => {
    const [hiddenAnswer, other] = await Promise.all(
      [id, 999_999].map((asked) =>
        call(method, `/api/1/composes/${asked}`, {
          headers: stranger,
          ...(body === undefined ? {} : { body }),
        }),
      ),
    );
    assert.equal(hiddenAnswer?.status, 404);
    assert.equal(hiddenAnswer.json['code'], other?.json['code']);
  });
}

for (const caller of ['owner', 'member'] as const) {
  test(`${caller} reads a private compose, its series and its files`, async () => {
    const headers = who[caller];
    const shown = await call('GET', `/api/1/composes/${id}`, { headers });
    assert.equal(shown.status, 200);
    assert.deepEqual(shown.json['readers'], { users: [], groups: ['embargo'] });
    assert.match(shown.headers.get('cache-control') ?? '', /private/);
    const list = await call('GET', '/api/1/composes/?series=classified-series', { headers });
    assert.equal((list.json['items'] as unknown[]).length, 1);
    for (const path of [
      '/api/1/series/classified-series',
      '/console/series/classified-series',
      '/composes/series/classified-series/latest/STATUS',
      '/composes/series/classified-series/latest.repo',
      '/composes/series/classified-series/at/2026-11-22T10:00Z/STATUS',
      `/composes/odcs-${id}/STATUS`,
    ]) {
      assert.equal((await call('GET', path, { headers })).status, 200, path);
    }
    assert.match((await call('GET', '/composes/', { headers })).text, new RegExp(`odcs-${id}/`));
  });
}

test('dnf reads with the token as its password, and changes nothing with it', async () => {
  const token = (member['Authorization'] ?? '').slice('Bearer '.length);
  const headers = { Authorization: `Basic ${Buffer.from(`member:${token}`).toString('base64')}` };
  assert.equal((await call('GET', `/composes/odcs-${id}/STATUS`, { headers })).status, 200);
  const wrong = { Authorization: `Basic ${Buffer.from(`member:${token.slice(0, -1)}_`).toString('base64')}` };
  assert.equal((await call('GET', `/composes/odcs-${id}/STATUS`, { headers: wrong })).status, 401);
  assert.equal((await ask(bodyOf({}), headers)).status, 401);
});

test('a rule that is private is shown to its readers, with what it decided', async () => {
  const { json } = await call('GET', '/api/1/rules/', { headers: member });
  assert.deepEqual(
    (json['rules'] as { name: string }[]).map(({ name }) => name),
    ['classified-rule'],
  );
  const shown = await call('GET', `/api/1/events/${event}`, { headers: member });
  assert.equal(shown.status, 200, shown.text);
  const decisions = shown.json['decisions'] as { outcome: string }[];
  assert.deepEqual(decisions.map(({ outcome }) => outcome).sort(), ['matched']);
  assert.equal((await call('GET', `/api/1/events/${ownEvent}`, { headers: member })).status, 200);
});

test('readers come from the series, are not given twice differently, and need not be named', async () => {
  const inherited = await ask(bodyOf({ series: 'classified-series' }));
  assert.deepEqual(inherited.json['readers'], { users: [], groups: ['embargo'] });
  const other = await ask(bodyOf({ series: 'classified-series', readers: { users: ['somebody'] } }));
  assert.equal(other.status, 409);
  assert.equal(other.json['code'], 'series.readers_differ');
  const alone = await ask(bodyOf({ readers: {} }));
  assert.deepEqual(alone.json['readers'], { users: [], groups: [] });
  assert.equal(
    (await call('GET', `/api/1/composes/${String(alone.json['id'])}`, { headers: member })).status,
    404,
  );
  assert.ok(!('readers' in (await ask(bodyOf({}))).json));
});

test('a stranger who asks for the name of a private series is not told whose it is', async () => {
  const { status, json } = await ask(bodyOf({ series: 'classified-series' }), stranger);
  assert.equal(status, 403);
  assert.equal(json['message'], 'The series classified-series is continued by others only.');
});

for (const [title, value] of [
  ['a list', ['embargo']],
  ['a text', 'embargo'],
  ['null', null],
  ['another key', { people: ['a'] }],
  ['users that are no list', { users: 'a' }],
  ['names that are no text', { groups: [1] }],
  ['an empty name', { groups: [''] }],
  ['a name with a control character', { users: ['a\nb'] }],
  ['too many names', { users: Array.from({ length: 201 }, (_, index) => `u${index}`) }],
] as const) {
  test(`readers that are ${title} are refused with a sentence`, async () => {
    const { status, json } = await ask(bodyOf({ readers: value }));
    assert.equal(status, 400);
    assert.equal(json['code'], 'request.invalid_value');
    assert.match(String(json['message']), /^readers/);
  });
}

const compositionOf = (parts: string, more: object = {}) => ({
  source: { type: 'compose', source: parts },
  ...more,
});

test('a compose of a private one is open to those who may read every part, whatever it asks for', async () => {
  const other = await givenDone(bodyOf({ readers: { users: ['member'], groups: ['embargo', 'more'] } }));
  const open = await givenDone({ source: { type: 'tag', source: 'f26', packages: ['classified-package'] } });
  const readersOf = async (body: object): Promise<unknown> => (await ask(body)).json['readers'];
  assert.deepEqual(await readersOf(compositionOf(`${open} ${id}`)), {
    users: ['agent'],
    groups: ['embargo'],
  });
  assert.deepEqual(await readersOf(compositionOf(`${id} ${other}`)), {
    users: ['agent'],
    groups: ['embargo'],
  });
  const wide = { users: ['stranger'], groups: ['embargo', 'others'] };
  assert.deepEqual(await readersOf(compositionOf(String(id), { readers: wide })), {
    users: [],
    groups: ['embargo'],
  });
  assert.equal(await readersOf(compositionOf(String(open))), undefined);
});

for (const part of [String(id), 'classified-series']) {
  test(`a stranger cannot compose the private part ${part}, as if it did not exist`, async () => {
    const absent = part === String(id) ? '999999' : 'no-such-series';
    const hidden = await ask(compositionOf(part), stranger);
    const missing = await ask(compositionOf(absent), stranger);
    assert.equal(hidden.status, 400);
    assert.equal(hidden.json['code'], 'compose.part_unknown');
    assert.equal(
      String(hidden.json['message']).replace(part, ''),
      String(missing.json['message']).replace(absent, ''),
    );
  });
}

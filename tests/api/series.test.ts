import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { storeManifest } from '../../src/database/manifests.ts';
import { noteKeep, noteSeries } from '../../src/database/series.ts';
import { transaction } from '../../src/database/transaction.ts';
import { insertWindow } from '../../src/database/windows.ts';
import { fingerprintOf } from '../../src/model/fingerprint.ts';
import { ruleDirectory } from '../rules/engine.ts';
import { ruleText } from '../rules/rule-text.ts';
import { givenCompose, type RowChange } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';
import { manifestHolding } from './manifest-holding.ts';

const api = await openTestApi();
const directory = ruleDirectory({ 'nightly.yaml': ruleText('- event: koji.tag', 'series: windowed\n') });
after(async () => {
  await api[Symbol.asyncDispose]();
  directory.remove();
});
const rulesCall = api.withSettings({ rules_dir: directory.path });

const bodyOf = (series: unknown) => ({
  source: { type: 'tag', source: 'f26', packages: ['httpd'] },
  series,
});

/** A done compose of a series that holds ed of a release. */
async function givenDone(series: string, release: string, change: RowChange = {}): Promise<number> {
  const lines = manifestHolding(`ed-0:1.14-${release}.x86_64`, `sha256:${release}`);
  const fingerprint = fingerprintOf(lines);
  await storeManifest(api.database, fingerprint, lines);
  return givenCompose(api, { state: 'done', time_done: api.now, fingerprint, ...change }, bodyOf(series));
}

/** Writes a file of a published compose. */
function givenFile(id: number, path: string, content: string): void {
  const file = join(api.targetDir, `odcs-${id}`, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, content);
}

function givenLink(series: string, id: number): void {
  const folder = join(api.targetDir, 'series', series);
  mkdirSync(folder, { recursive: true });
  try {
    unlinkSync(join(folder, 'latest'));
  } catch {
    // There was none.
  }
  symlinkSync(`../../odcs-${id}`, join(folder, 'latest'));
}

test('a series is listed with what it shows, and shown with its history', async () => {
  const first = await givenDone('listed', '1');
  api.now = new Date('2026-11-22T11:00:00Z');
  const second = await givenDone('listed', '2');
  await noteKeep(api.database.kysely, 'listed', { last: 10, dailyMs: 30 * 86_400_000, weeklyMs: null });
  const list = await api.call('GET', '/api/1/series/');
  assert.deepEqual(
    (list.json['items'] as { name: string; latest: number }[]).map(({ name, latest }) => [name, latest]),
    [['listed', second]],
  );
  const { status, json } = await api.call('GET', '/api/1/series/listed');
  assert.equal(status, 200);
  assert.deepEqual(json['keep'], { last: 10, daily: '30d', weekly: null });
  assert.equal(json['repoid'], 'odcs-listed');
  assert.equal(json['latest_repofile'], 'http://odcs.example.com/composes/series/listed/latest.repo');
  const history = json['history'] as Record<string, unknown>[];
  assert.deepEqual(
    history.map(({ id, packages }) => [id, packages]),
    [
      [second, 1],
      [first, 1],
    ],
  );
  assert.deepEqual(history[0]?.['change'], {
    since: first,
    added: 0,
    removed: 0,
    upgraded: 1,
    downgraded: 0,
    replaced: 0,
    options: 0,
    sentences: ['ed 0:1.14-1 → 0:1.14-2 (x86_64 binary)'],
  });
  assert.equal(history[1]?.['change'], null);
  const page = await api.call('GET', '/api/1/series/listed?limit=1');
  assert.equal(page.json['before'], second);
  const older = await api.call('GET', `/api/1/series/listed?limit=1&before=${second}`);
  assert.equal((older.json['history'] as { id: number }[])[0]?.id, first);
  assert.equal(older.json['before'], null);
});

test('the page of a series says on demand what its composes take, and which of them stay', async () => {
  await givenDone('by-size', '1');
  await noteKeep(api.database.kysely, 'by-size', { last: 1, dailyMs: null, weeklyMs: null });
  const plain = await api.call('GET', '/console/series/by-size');
  assert.match(plain.text, /<\/a>, done <time/);
  assert.match(plain.text, /id="use-latest"[^]*<button[^>]+data-copy="use-latest"/);
  assert.match(plain.text, /href="\?space=1#space"/);
  assert.doesNotMatch(plain.text, /On disk/);
  const { text } = await api.call('GET', '/console/series/by-size?space=1');
  assert.match(text, /On disk/);
  assert.match(text, /This server does not see the files\./);
  assert.match(text, /kept: latest, last/);
});

test('series are paged by name', async () => {
  for (const name of ['page-a', 'page-b', 'page-c']) await givenCompose(api, {}, bodyOf(name));
  const first = await api.call('GET', '/api/1/series/?limit=2&after=page-');
  assert.equal(first.json['next'], 'page-b');
  const rest = await api.call('GET', '/api/1/series/?limit=2&after=page-b');
  assert.deepEqual(
    (rest.json['items'] as { name: string }[]).map(({ name }) => name),
    ['page-c'],
  );
  assert.equal(rest.json['next'], null);
  assert.equal((await api.call('GET', '/api/1/series/?limit=many')).json['code'], 'request.invalid_query');
  assert.equal((await api.call('GET', '/api/1/series')).status, 200);
});

test('a series nobody continued, or that cannot be one, is unknown', async () => {
  for (const name of ['nothing', '..%2Fetc', '.hidden', 'a%00b', 'x'.repeat(300)]) {
    const { status } = await api.call('GET', `/api/1/series/${name}`);
    assert.ok(status === 404 || status === 400, name);
  }
  assert.equal((await api.call('GET', '/api/1/series/nothing')).json['code'], 'series.not_found');
});

test('a request continues a series of its owner, and no other', async () => {
  const settings = {
    auth_backend: 'kerberos' as const,
    trusted_proxies: ['127.0.0.1'],
    allowed_clients: { users: { bob: {}, eve: {}, root: {} }, groups: {} },
    allowed_source_types: ['tag'],
    allowed_sources: ['f26'],
    admins: { users: ['root'], groups: [] },
  };
  const call = api.withSettings(settings);
  const ask = (user: string, series: unknown, headers: Record<string, string> = {}) =>
    call('POST', '/api/1/composes/', {
      body: bodyOf(series),
      headers: { 'X-Remote-User': `${user}@EXAMPLE.COM`, ...headers },
    });
  assert.equal((await ask('bob', 'of-bob')).status, 200);
  assert.equal((await ask('bob', 'of-bob')).status, 200);
  const refused = await ask('eve', 'of-bob');
  assert.equal(refused.status, 403);
  assert.equal(refused.json['code'], 'series.not_yours');
  assert.equal(refused.json['message'], 'The series of-bob is continued by bob only.');
  assert.equal((await ask('root', 'of-bob')).status, 200);
  assert.equal((await ask('eve', '../etc')).json['code'], 'request.invalid_name');
  assert.equal((await ask('eve', 7)).json['code'], 'request.invalid_value');
  const key = { 'Idempotency-Key': 'once' };
  const first = await ask('eve', 'of-eve', key);
  assert.equal((await ask('eve', 'of-eve', key)).json['id'], first.json['id']);
  assert.equal((await ask('eve', 'of-eve-2', key)).status, 409);
});

test('what was shown at a moment is found, said to be too early, or said to be removed', async () => {
  api.now = new Date('2026-11-23T10:00:00Z');
  const first = await givenDone('dated', '1');
  api.now = new Date('2026-11-24T10:00:00Z');
  const second = await givenDone('dated', '2');
  api.now = new Date('2026-11-25T10:00:00Z');
  givenFile(first, 'STATUS', 'first');
  givenFile(second, 'STATUS', 'second');
  const at = (moment: string, path = 'STATUS') =>
    api.call('GET', `/composes/series/dated/at/${moment}/${path}`);
  assert.equal((await at('2026-11-24T09:59Z')).text, 'first');
  assert.equal((await at('2026-11-24T10:00:00Z')).text, 'second');
  assert.equal((await at('2026-11-25')).text, 'second');
  assert.match((await at('2026-11-25', '')).text, /STATUS/);
  const early = await at('2026-11-23T09:00Z');
  assert.deepEqual([early.status, early.json['code']], [404, 'series.nothing_then']);
  assert.deepEqual((await at('2026-11-26T09:00Z')).json['code'], 'series.moment_ahead');
  for (const wrong of ['yesterday', '2026-02-30', '2026-11-24T25:00Z', '%2e%2e']) {
    assert.ok([400, 404].includes((await at(wrong)).status), wrong);
  }
  assert.equal((await at('2026-11-24T10:00Z', '..%2f..%2fodcs-1%2fSTATUS')).status, 404);
  await api.database.kysely
    .updateTable('composes')
    .set({ state: 'removed', time_removed: api.now })
    .where('id', '=', first)
    .execute();
  const gone = await at('2026-11-23T10:00Z');
  assert.deepEqual([gone.status, gone.json['code']], [410, 'series.removed_since']);
  assert.match(String(gone.json['message']), /was removed at 2026-11-25T10:00:00/);
});

test('below latest/ what the compose before has is found by who read its metadata, and nothing else', async () => {
  const first = await givenDone('moved', '1');
  const second = await givenDone('moved', '2');
  const digest = 'a'.repeat(64);
  const tree = 'compose/Temporary/x86_64/os';
  givenFile(first, `${tree}/repodata/${digest}-primary.xml.zst`, 'old primary');
  givenFile(first, `${tree}/Packages/e/ed-1.14-1.x86_64.rpm`, 'old ed');
  givenFile(first, `${tree}/repodata/repomd.xml`, 'old repomd');
  givenFile(second, 'STATUS', 'second');
  givenLink('moved', second);
  const get = (path: string) => api.call('GET', `/composes/series/moved/latest/${path}`);
  const status = await get('STATUS');
  assert.equal(status.text, 'second');
  assert.equal(status.headers.get('cache-control'), 'no-cache');
  assert.equal((await get(`${tree}/repodata/${digest}-primary.xml.zst`)).text, 'old primary');
  assert.equal((await get(`${tree}/Packages/e/ed-1.14-1.x86_64.rpm`)).text, 'old ed');
  assert.equal((await get(`${tree}/repodata/repomd.xml`)).status, 404);
  assert.equal((await get(`${tree}/Packages/e/none-1-1.x86_64.rpm`)).status, 404);
  const nothing = await api.call('GET', '/composes/series/never/latest/STATUS');
  assert.deepEqual([nothing.status, nothing.json['code']], [404, 'series.nothing_shown']);
});

test('the feed is well-formed, says what changed, and the badge what is shown', async () => {
  const hostile = '<&"\u0007';
  await givenDone('fed', '1', { owner: hostile });
  const id = await givenDone('fed', '2', { owner: hostile });
  const feed = await api.call('GET', '/api/1/series/fed/feed.atom');
  assert.equal(feed.headers.get('content-type'), 'application/atom+xml; charset=utf-8');
  assert.ok(feed.text.includes(`<title>Compose ${id}: 1 upgraded</title>`));
  assert.ok(feed.text.includes('ed 0:1.14-1 → 0:1.14-2 (x86_64 binary)'));
  assert.ok(feed.text.includes('<name>&lt;&amp;&quot; </name>'));
  assert.ok(!feed.text.includes('\u0007'));
  const badge = await api.call('GET', '/api/1/series/fed/badge.svg');
  assert.equal(badge.headers.get('content-type'), 'image/svg+xml');
  assert.match(badge.text, new RegExp(`aria-label="fed: ${id} · 2026-`));
  await givenCompose(api, {}, bodyOf('empty'));
  assert.match((await api.call('GET', '/api/1/series/empty/badge.svg')).text, /empty: no compose/);
});

test('an open window says when the next one is expected, in the API and on the page', async () => {
  const id = await givenDone('windowed', '1');
  const due = new Date(api.now.getTime() + 600_000);
  await transaction(api.database, (tx) =>
    insertWindow(
      tx.sql,
      { rule: 'nightly', ruleSet: 'x', groupKey: '{}' },
      { openedAt: api.now, lastAt: api.now, dueAt: due, priority: 'normal', settleMs: 1, maxWaitMs: 1 },
    ),
  );
  const { json } = await rulesCall('GET', '/api/1/series/windowed');
  assert.deepEqual(json['next'], { kind: 'window', rule: 'nightly', at: due.toISOString() });
  const page = await rulesCall('GET', '/console/series/windowed');
  assert.equal(page.status, 200);
  assert.match(page.text, /nightly decides/);
  assert.match(page.text, new RegExp(`/console/composes/${id}`));
  assert.match(page.text, /series\/windowed\/latest\.repo/);
  assert.doesNotMatch(page.text, /<script>/);
  assert.match((await rulesCall('GET', '/console/series')).text, /\/console\/series\/windowed/);
  assert.equal((await rulesCall('GET', '/console/series/none')).status, 404);
  assert.match((await rulesCall('GET', `/console/composes/${id}`)).text, /\/console\/series\/windowed/);
});

test('a request says what is kept of the series it continues, until another one says otherwise', async () => {
  const keep = { last: 3, daily: '20d', weekly: '7w' };
  const { status } = await api.call('POST', '/api/1/composes/', { body: { ...bodyOf('kept'), keep } });
  assert.equal(status, 200);
  const kept = async () => (await api.call('GET', '/api/1/series/kept')).json['keep'];
  assert.deepEqual(await kept(), { last: 3, daily: '20d', weekly: '49d' });
  await api.call('POST', '/api/1/composes/', { body: bodyOf('kept') });
  assert.deepEqual(await kept(), { last: 3, daily: '20d', weekly: '49d' });
  await api.call('POST', '/api/1/composes/', { body: { ...bodyOf('kept'), keep: {} } });
  assert.equal(await kept(), null);
});

test('what cannot be kept is refused, as is more than a request may keep, and what a rule keeps is not touched', async () => {
  const call = api.withSettings({
    auth_backend: 'kerberos',
    admins: { users: ['root'], groups: [] },
    allowed_clients: { users: { jana: {}, root: {} }, groups: {} },
  });
  const codeOf = async (body: object, user = 'jana') => {
    const headers = { 'X-Remote-User': `${user}@EXAMPLE.COM` };
    const { status, json } = await call('POST', '/api/1/composes/', { body, headers });
    return [status, json['code']];
  };
  for (const keep of [
    7,
    [],
    { last: 0 },
    { last: '3' },
    { daily: 30 },
    { daily: '30m' },
    { monthly: '1y' },
    { daily: '0d' },
  ]) {
    assert.deepEqual(
      await codeOf({ ...bodyOf('refused'), keep }),
      [400, 'request.invalid_value'],
      JSON.stringify(keep),
    );
  }
  const { series: _none, ...alone } = bodyOf('refused');
  assert.deepEqual(await codeOf({ ...alone, keep: { last: 1 } }), [400, 'request.invalid_value']);
  const much = { last: 3, daily: '21d', weekly: '7w' };
  assert.deepEqual(await codeOf({ ...bodyOf('refused'), keep: much }), [403, 'series.keep_too_much']);
  assert.equal((await api.call('GET', '/api/1/series/refused')).status, 404);
  await transaction(api.database, (tx) =>
    noteSeries(tx, { name: 'of-a-rule', owner: 'rule:a-rule', readers: null }),
  );
  assert.deepEqual(await codeOf({ ...bodyOf('of-a-rule'), keep: { last: 1 } }, 'root'), [
    409,
    'series.keep_of_rule',
  ]);
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { noteRunningSet } from '../../src/database/rule-sets.ts';
import { Engine, ruleDirectory, storeEvent } from '../rules/engine.ts';
import { inputEvent, tagEvent } from '../rules/input-event.ts';
import { readRule, ruleText } from '../rules/rule-text.ts';
import { givenCompose } from './compose-rows.ts';
import { insertToken } from '../../src/database/api-tokens.ts';
import { digestOf, formatToken, newSecret, type ApiScope } from '../../src/model/api-token.ts';
import { openTestApi } from './open-test-api.ts';

const text = ruleText('- event: koji.tag\n  match: { tag: f44-updates }', 'settle: 10m\n');
const directory = ruleDirectory({ 'nightly.yaml': text });
const api = await openTestApi();
after(async () => {
  await api[Symbol.asyncDispose]();
  directory.remove();
});
const call = api.withSettings({ rules_dir: directory.path });
const engine = new Engine(api.database, { version: 'v1', rules: [readRule(text)] });

test('rules are listed with what they are for', async () => {
  const { status, json } = await call('GET', '/api/1/rules/');
  assert.equal(status, 200);
  assert.deepEqual(json['rules'], [
    { name: 'nightly', owner: 'rel-eng', description: 'A test.', mode: 'active', paused: null },
  ]);
});

test('a stored event is explained, an unknown rule or event is not found', async () => {
  const id = await storeEvent(api.database, tagEvent({ tag: 'f45' }), api.now);
  const { json } = await call('GET', `/api/1/rules/nightly/explain?event=${id}`);
  assert.equal(json['sentence'], 'nightly does not fire: "tag" is f45, wanted f44-updates.');
  assert.equal((await call('GET', '/api/1/rules/nope/explain?event=1')).status, 404);
  assert.equal((await call('GET', '/api/1/rules/nightly/explain?event=999999')).status, 404);
  assert.equal((await call('GET', '/api/1/rules/nightly/explain?event=x')).status, 400);
});

test('a backtest reads stored events and changes nothing', async () => {
  await storeEvent(api.database, tagEvent(), new Date(api.now.getTime() - 60_000));
  const { status, json } = await call('GET', '/api/1/rules/nightly/backtest?since=1d');
  assert.equal(status, 200);
  assert.match(JSON.stringify(json['backtest']), /"answers":\{"no":1,"unknown":0,"yes":1\}/);
  assert.deepEqual(await api.database.kysely.selectFrom('settle_windows').selectAll().execute(), []);
  assert.equal((await call('GET', '/api/1/rules/nightly/backtest?since=1000d')).status, 400);
});

test('a rule is paused with a reason, shown as paused, and resumed', async () => {
  assert.equal((await call('POST', '/api/1/rules/nightly/pause', { body: {} })).status, 400);
  const paused = await call('POST', '/api/1/rules/nightly/pause', { body: { reason: 'mass rebuild' } });
  assert.equal(paused.status, 200);
  assert.match((await call('GET', '/api/1/rules/')).text, /"reason":"mass rebuild"/);
  const resumed = await call('POST', '/api/1/rules/nightly/resume');
  assert.equal(resumed.json['message'], 'nightly goes on.');
});

test('a triggered rule decides at once, and its decision names who asked and why', async () => {
  const { status, json } = await call('POST', '/api/1/rules/nightly/trigger', {
    body: { reason: 'a mirror was lost' },
  });
  assert.equal(status, 200);
  const id = Number(/event (\d+);/.exec(String(json['message']))?.[1]);
  await engine.match(id, api.now);
  assert.deepEqual(await engine.advance(new Date(api.now.getTime() + 3000)), ['requested']);
  const decisions = await call('GET', `/api/1/decisions?event=${id}`);
  assert.match(decisions.text, /Triggered by anonymous: a mirror was lost/);
});

test('a rule that is triggered with force composes although nothing changed', async () => {
  const asked: string[] = [];
  for (const force of [false, true]) {
    const { json } = await call('POST', '/api/1/rules/nightly/trigger', {
      body: { reason: 'the disk was lost', force },
    });
    await engine.match(Number(/event (\d+);/.exec(String(json['message']))?.[1]), api.now);
    assert.deepEqual(await engine.advance(new Date(api.now.getTime() + 3000)), ['requested']);
    const row = await api.database.kysely
      .selectFrom('compose_requests')
      .select('unchanged')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    asked.push(row.unchanged);
  }
  assert.deepEqual(asked, ['skip', 'compose']);
});

test('only the owner or an admin steers a rule', async () => {
  const strict = api.withSettings({
    rules_dir: directory.path,
    auth_backend: 'kerberos',
    trusted_proxies: ['127.0.0.1'],
    admins: { users: ['root'], groups: [] },
  });
  const as = (user: string) => ({
    body: { reason: 'x' },
    headers: { 'X-Remote-User': user, 'Remote-User': user },
  });
  const refused = await strict('POST', '/api/1/rules/nightly/pause', as('mallory@EXAMPLE.COM'));
  assert.ok(refused.status === 403 || refused.status === 401, refused.text);
});

test('a token of the service steers a rule of its owner only with the scope for it', async () => {
  const strict = api.withSettings({
    rules_dir: directory.path,
    auth_backend: 'kerberos',
    admins: { users: ['root'], groups: [] },
  });
  const resume = async (scopes: readonly ApiScope[]) => {
    const secret = newSecret();
    const { id } = await insertToken(api.database.kysely, {
      name: 'steering',
      owner: 'root',
      groups: [],
      scopes,
      expiresAt: new Date(api.now.getTime() + 60_000),
      digest: digestOf(secret),
      now: api.now,
    });
    const headers = { Authorization: `Bearer ${formatToken(id, secret)}` };
    return strict('POST', '/api/1/rules/nightly/resume', { body: {}, headers });
  };
  const refused = await resume(['new-compose', 'renew-compose', 'delete-compose']);
  assert.deepEqual([refused.status, refused.json['code']], [403, 'permission.scope_missing']);
  const steered = await resume(['steer-rules']);
  assert.equal(steered.status, 200, steered.text);
});

test('why a compose was made names rule, events and the compose before', async () => {
  const event = await storeEvent(api.database, inputEvent(tagEvent()).event, api.now);
  const first = await givenCompose(api, { state: 'done', time_done: api.now });
  const second = await givenCompose(api, { state: 'done' });
  const request = await api.database.kysely
    .insertInto('compose_requests')
    .values({
      rule: 'nightly',
      series: 's',
      body: '{}',
      priority: 'normal',
      causes: JSON.stringify([event]),
      min_event: 7,
      chain: '[]',
      unchanged: 'skip',
      state: 'composed',
      compose_id: second,
      created_at: api.now,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await api.database.kysely
    .updateTable('composes')
    .set({ series: 's', request_id: request.id })
    .where('id', 'in', [first, second])
    .execute();
  const { json } = await call('GET', `/api/1/composes/${second}/why`);
  assert.equal(json['sentence'], 'Rule nightly asked for it in series s, because of 1 event.');
  assert.equal(json['previous'], first);
  assert.match(JSON.stringify(json['causes']), /openssl-3.5.1-2.fc44/);
});

test('rules are shown, explained and steered as they run, whatever lies in the directory here', async () => {
  const elsewhere = ruleText('- event: koji.tag\n  match: { tag: f41 }').replace(
    'name: nightly',
    'name: remote',
  );
  const documents = [{ file: '/elsewhere/remote.yaml', text: elsewhere }];
  await noteRunningSet(api.database.kysely, { version: 'r1', documents, problems: [] }, api.now);
  const other = ruleDirectory({ 'nightly.yaml': 'no rule' });
  const there = api.withSettings({ rules_dir: other.path });
  const listed = await there('GET', '/api/1/rules/');
  assert.equal(listed.json['version'], 'r1');
  assert.deepEqual(listed.json['problems'], []);
  assert.equal((await there('POST', '/api/1/rules/remote/pause', { body: { reason: 'x' } })).status, 200);
  assert.equal((await there('GET', '/console/rules/remote')).status, 200);
  const id = await storeEvent(api.database, tagEvent({ tag: 'f45' }), api.now);
  await api.database.kysely.updateTable('events').set({ rule_set: 'r1' }).where('id', '=', id).execute();
  const later = [{ file: '/elsewhere/remote.yaml', text: elsewhere.replace('tag: f41', 'tag: f45') }];
  await noteRunningSet(
    api.database.kysely,
    { version: 'r2', documents: later, problems: [] },
    new Date(api.now.getTime() + 1000),
  );
  const { json } = await there('GET', `/api/1/rules/remote/explain?event=${id}`);
  assert.equal(json['sentence'], 'remote does not fire: "tag" is f45, wanted f41.');
  assert.deepEqual([json['judged_by'], json['explained_by']], ['r1', 'r1']);
  const page = await there('GET', `/console/events/${id}`);
  assert.match(page.text, /1 rule did not match\s*<\/summary>/);
  await api.database.kysely.updateTable('events').set({ rule_set: 'r0' }).where('id', '=', id).execute();
  const unknown = await there('GET', `/console/events/${id}`);
  assert.doesNotMatch(unknown.text, /did not match\s*<\/summary>/, 'the set that runs now would fire');
  other.remove();
});

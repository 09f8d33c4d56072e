import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createApp } from '../../../src/api/app.ts';
import { storeManifest } from '../../../src/database/manifests.ts';
import { fingerprintOf } from '../../../src/model/fingerprint.ts';
import { ruleDirectory } from '../../rules/engine.ts';
import { ruleText } from '../../rules/rule-text.ts';
import { givenCompose } from '../compose-rows.ts';
import { manifestHolding } from '../manifest-holding.ts';
import { openTestApi } from '../open-test-api.ts';

const api = await openTestApi();
const directory = ruleDirectory({ 'nightly.yaml': ruleText('- event: koji.tag', 'series: nightly\n') });
after(async () => {
  await api[Symbol.asyncDispose]();
  directory.remove();
});

const manifestOf = (release: string): string[] =>
  manifestHolding(`ed-0:1.14.1-${release}.x86_64`, `sha256:${release}`);
const app = createApp({
  ...api.context,
  config: { ...api.context.config, rules_dir: directory.path },
  plan: async () => ({
    fingerprint: fingerprintOf(manifestOf('8')),
    manifest: manifestOf('8'),
    warnings: [],
    bytes: 0,
    whyOf: () => '',
  }),
});

async function trigger(fields: Readonly<Record<string, string>>, origin = 'http://odcs.example.com') {
  const response = await app.request('http://odcs.example.com/console/rules/nightly/trigger', {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: origin },
  });
  return { status: response.status, location: response.headers.get('location'), text: await response.text() };
}

async function triggersStored(): Promise<readonly string[]> {
  const rows = await api.database.kysely
    .selectFrom('events')
    .select('event')
    .where('kind', '=', 'state.swept')
    .execute();
  return rows.map(({ event }) => JSON.stringify(event));
}

async function givenLast(release: string): Promise<number> {
  const lines = manifestOf(release);
  const fingerprint = fingerprintOf(lines);
  await storeManifest(api.database, fingerprint, lines);
  const id = await givenCompose(api, { state: 'done', time_done: api.now, fingerprint });
  await api.database.kysely.updateTable('composes').set({ series: 'nightly' }).where('id', '=', id).execute();
  return id;
}

test('before a rule is triggered it shows what would change in its series, and stores nothing', async () => {
  const id = await givenLast('7');
  const { status, text } = await trigger({ do: 'preview', reason: 'look' });
  assert.equal(status, 200);
  const words = text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  assert.match(words, /It would be composed\. 1 packages in series nightly/);
  assert.match(words, new RegExp(`beside compose ${id}`));
  assert.match(words, /Upgraded 1 ed 1\.14\.1-7 → 1\.14\.1-8/);
  assert.match(text, /name="reason"\s+value="look"/);
  assert.deepEqual(await triggersStored(), []);
});

test('where nothing changed a trigger is said to bring nothing, unless it is forced', async () => {
  await givenLast('8');
  assert.match((await trigger({ do: 'preview' })).text, /Nothing would change\./);
  assert.match((await trigger({ do: 'preview', force: '1' })).text, /it would be composed all the same/);
});

test('a trigger needs a reason and a page of ours, and leads to its event', async () => {
  assert.equal((await trigger({ do: 'trigger', reason: ' ' })).status, 400);
  assert.equal((await trigger({ do: 'trigger', reason: 'now' }, 'https://evil.example')).status, 403);
  assert.equal((await trigger({ do: 'preview' }, 'https://evil.example')).status, 403);
  assert.equal((await trigger({ do: 'trigger', reason: 'now', group: '{' })).status, 400);
  assert.deepEqual(await triggersStored(), []);
  const { status, location } = await trigger({ do: 'trigger', reason: 'mass rebuild is over', force: '1' });
  assert.equal(status, 303);
  assert.match(location ?? '', /^\/console\/events\/\d+$/);
  const [stored] = await triggersStored();
  assert.match(stored ?? '', /Triggered by anonymous: mass rebuild is over/);
  assert.match(stored ?? '', /"force":true/);
});

test('who may not steer the rule can neither trigger it nor see what would change', async () => {
  const strict = api.withSettings({ rules_dir: directory.path, auth_backend: 'kerberos' });
  const headers = { 'X-Remote-User': 'mallory@EXAMPLE.COM', 'X-Remote-Groups': 'others' };
  for (const text of ['do=trigger&reason=x', 'do=preview&reason=x']) {
    assert.equal((await strict('POST', '/console/rules/nightly/trigger', { text, headers })).status, 403);
  }
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { insertToken } from '../../src/database/api-tokens.ts';
import { digestOf, formatToken, newSecret } from '../../src/model/api-token.ts';
import { openInbox } from '../listeners/listening.ts';
import { Engine } from '../rules/engine.ts';
import { readRule, ruleText } from '../rules/rule-text.ts';
import { openTestApi, type Answer } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());
const call = api.withSettings({
  auth_backend: 'kerberos',
  embargo: { tags: ['f44-embargo*'], users: [], groups: ['security'] },
});
const inbox = openInbox(api.database, { embargoTags: ['f44-embargo*'] });

let serial = 0;
async function receiveTag(word: 'tag' | 'untag', tag: string, version: string): Promise<number> {
  serial += 1;
  const body = {
    build_id: 7,
    name: 'secret-fix',
    version,
    release: '1',
    tag,
    tag_id: 8,
    user: 'a',
    owner: 'a',
  };
  const { id } = await inbox.receive({
    bus: 'fedora-messaging',
    messageId: `m${serial}`,
    rawTopic: `org.fedoraproject.prod.buildsys.${word}`,
    headers: {},
    body: Buffer.from(JSON.stringify(body)),
    sentAt: null,
    contentEncoding: null,
    producer: null,
  });
  assert.ok(id !== null);
  return id;
}

async function headersOf(owner: string, groups: readonly string[]): Promise<Record<string, string>> {
  const secret = newSecret();
  const { id } = await insertToken(api.database.kysely, {
    name: owner,
    digest: digestOf(secret),
    owner,
    groups,
    scopes: ['read'],
    now: api.now,
    expiresAt: new Date(api.now.getTime() + 86_400_000),
  });
  return { Authorization: `Bearer ${formatToken(id, secret)}` };
}
const security = await headersOf('alice', ['security']);
const other = await headersOf('bob', ['others']);
const idsOf = ({ json }: Answer): unknown[] => (json['items'] as { id: number }[]).map(({ id }) => id).sort();

test('events of a build under embargo are shown to the readers of embargoes, until it leaves them', async () => {
  const before = await receiveTag('tag', 'f44-candidate', '1');
  const embargoed = await receiveTag('tag', 'f44-embargo-z', '1');
  const open = await receiveTag('tag', 'f44-candidate', '2');
  const list = (headers: Record<string, string>) => call('GET', '/api/1/events', { headers });
  assert.deepEqual(idsOf(await list(security)), [before, embargoed, open]);
  for (const headers of [other, {}]) {
    assert.deepEqual(idsOf(await list(headers)), [open]);
    assert.equal((await call('GET', `/api/1/events/${embargoed}`, { headers })).status, 404);
    assert.equal((await call('GET', `/console/events/${before}`, { headers })).status, 404);
  }
  const rule = readRule(ruleText('- event: koji.tag\n  match: { tag: "f44-*" }'));
  await new Engine(api.database, { version: 'v1', rules: [rule] }).match(embargoed, api.now);
  const decisions = (headers: Record<string, string>) => call('GET', '/api/1/decisions', { headers });
  assert.match((await decisions(security)).text, /f44-embargo-z/);
  assert.doesNotMatch((await decisions(other)).text, /secret-fix|embargo/);
  // What was decided on others stays to be read.
  const openRule = {
    ...readRule(ruleText('- event: koji.tag\n  match: { tag: f44-candidate }')),
    name: 'open',
  };
  await new Engine(api.database, { version: 'v2', rules: [openRule] }).match(open, api.now);
  const rulesOf = ({ json }: Answer): unknown[] =>
    (json['items'] as { rule: string }[]).map((item) => item.rule);
  for (const headers of [other, {}]) assert.deepEqual(rulesOf(await decisions(headers)), ['open']);
  const find = (headers: Record<string, string>) => call('GET', '/api/1/find?q=secret-fix-1-1', { headers });
  assert.match((await find(security)).text, /f44-embargo-z/);
  for (const headers of [other, {}]) {
    const { json } = await find(headers);
    assert.equal(json['sentence'], 'Nothing of secret-fix-1-1 ever arrived.');
    assert.deepEqual([json['events'], json['rules']], [[], []]);
  }
  const left = await receiveTag('untag', 'f44-embargo-z', '1');
  assert.deepEqual(idsOf(await list(other)), [before, embargoed, open, left]);
});

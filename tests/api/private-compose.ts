import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { sql } from 'kysely';
import { join } from 'node:path';
import { after } from 'node:test';
import { insertToken } from '../../src/database/api-tokens.ts';
import { noteReadersOfRules } from '../../src/database/private-rules.ts';
import { noteRunningSet } from '../../src/database/rule-sets.ts';
import { storeManifest } from '../../src/database/manifests.ts';
import { digestOf, formatToken, newSecret } from '../../src/model/api-token.ts';
import { fingerprintOf } from '../../src/model/fingerprint.ts';
import { Engine, storeEvent } from '../rules/engine.ts';
import { tagEvent } from '../rules/input-event.ts';
import { readRule, ruleText } from '../rules/rule-text.ts';
import { changeCompose } from './compose-rows.ts';
import { manifestHolding } from './manifest-holding.ts';
import { openTestApi, type Answer } from './open-test-api.ts';

/** What a stranger may not find in any answer: names of the private compose, its series, its rule and its package. */
export const secrets = [
  'classified-series',
  'classified-rule',
  'classified-package',
  'classified-tag',
  'classified-image',
  'swapped-build',
  'agent',
];

export const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

async function givenToken(owner: string, groups: readonly string[]): Promise<Record<string, string>> {
  const secret = newSecret();
  const { id } = await insertToken(api.database.kysely, {
    name: `of ${owner}`,
    digest: digestOf(secret),
    owner,
    groups,
    scopes: ['new-compose', 'renew-compose', 'delete-compose', 'steer-rules'],
    now: api.now,
    expiresAt: new Date(api.now.getTime() + 86_400_000),
  });
  return { Authorization: `Bearer ${formatToken(id, secret)}` };
}

export const call = api.withSettings({
  auth_backend: 'kerberos',
  allowed_clients: { users: {}, groups: { askers: {} } },
  allowed_source_types: ['tag', 'compose'],
  allowed_sources: [''],
  allowed_results: [''],
  allowed_flags: [''],
  allowed_arches: [''],
  allowed_compose_types: [''],
});
export const owner = await givenToken('agent', ['askers']);
export const member = await givenToken('member', ['embargo']);
export const stranger = await givenToken('stranger', ['others', 'askers']);
export const who = { owner, member, stranger, nobody: {} };

/** What a compose with readers says of a build under embargo. */
export const swap = 'swapped-build-1-2 is under embargo: swapped-build-1-1 stands in for it.';

const readers = { groups: ['embargo'] };
export const bodyOf = (more: object) => ({
  source: { type: 'tag', source: 'classified-tag', packages: ['classified-package'] },
  ...more,
});

export async function ask(body: object, headers: Record<string, string> = owner): Promise<Answer> {
  return call('POST', '/api/1/composes/', { headers, body });
}

export async function givenDone(body: object): Promise<number> {
  const { json, status, text } = await ask(body);
  assert.equal(status, 200, text);
  const id = Number(json['id']);
  const lines = [
    ...manifestHolding('classified-package-0:1-1.x86_64', `sha256:${id}`),
    'option\treplaced swapped-build-1-2\tswapped-build-1-1',
  ];
  const fingerprint = fingerprintOf(lines);
  await storeManifest(api.database, fingerprint, lines);
  const warnings = JSON.stringify([swap]);
  await changeCompose(api, id, { state: 'done', time_done: api.now, fingerprint, warnings });
  const directory = join(api.targetDir, `odcs-${id}`);
  mkdirSync(join(directory, 'compose'), { recursive: true });
  writeFileSync(join(directory, 'STATUS'), 'FINISHED classified-package\n');
  return id;
}

// A number that nothing else has.
await sql`select setval(pg_get_serial_sequence('composes', 'id'), 70700)`.execute(api.database.kysely);
export const id = await givenDone(bodyOf({ series: 'classified-series', readers }));
const image = { series: 'classified-series', packages: { x86_64: ['classified-package-0-1.x86_64'] } };
const told = await call('PUT', '/api/1/images/classified-image', { body: image, headers: owner });
assert.equal(told.status, 200, told.text);
const folder = join(api.targetDir, 'series', 'classified-series');
mkdirSync(folder, { recursive: true });
symlinkSync(`../../odcs-${id}`, join(folder, 'latest'));
symlinkSync(`odcs-${id}`, join(api.targetDir, `latest-odcs-${id}-1`));
writeFileSync(join(folder, 'latest.repo'), '[odcs-classified-series]\n');

const problemOf = (file: string, message: string) => ({
  code: 'rule.field_unknown',
  file,
  line: 1,
  column: 1,
  message,
  hint: null,
});
const text = ruleText('- event: koji.tag\n  match: { tag: f44-updates }', 'readers: { groups: [embargo] }\n')
  .replace('nightly', 'classified-rule')
  .replace('A test.', 'About classified-package.');
const rule = readRule(text, 'classified-rule.yaml');
await noteRunningSet(
  api.database.kysely,
  {
    version: 'v1',
    documents: [{ file: 'classified-rule.yaml', text }],
    problems: [
      problemOf('classified-rule.yaml', 'There is no field "classified-package".'),
      problemOf('open.yaml', 'The rules open and classified-rule both continue the series open.'),
      { ...problemOf('new.yaml', 'There is no field "classified-tag".'), isPrivate: true },
      problemOf('open.yaml', 'There is no field "wrong".'),
    ],
  },
  api.now,
);
await noteReadersOfRules(api.database.kysely, [rule]);
export const event = await storeEvent(api.database, tagEvent({ tag: 'f44-updates' }), api.now);
await new Engine(api.database, { version: 'v1', rules: [rule] }).match(event, api.now);
export const { id: window } = await api.database.kysely
  .selectFrom('settle_windows')
  .select('id')
  .where('rule', '=', 'classified-rule')
  .executeTakeFirstOrThrow();
export const { id: request } = await api.database.kysely
  .insertInto('compose_requests')
  .values({
    rule: 'classified-rule',
    series: 'classified-series',
    body: JSON.stringify(bodyOf({ readers })),
    priority: 'normal',
    causes: JSON.stringify([event]),
    min_event: null,
    chain: '[]',
    unchanged: 'reuse',
    state: 'composed',
    reason: 'classified-package changed',
    compose_id: id,
    not_before: null,
    created_at: api.now,
    started_at: api.now,
    finished_at: api.now,
  })
  .returning('id')
  .executeTakeFirstOrThrow();
export const tick = await storeEvent(
  api.database,
  { kind: 'schedule.tick', rule: 'classified-rule', at: api.now.toISOString() },
  api.now,
);
export const ownEvent = await storeEvent(
  api.database,
  { kind: 'compose.state', system: 'odcs', id: String(id), state: 'done', series: 'classified-series' },
  api.now,
);

export const owners = await call('GET', `/api/1/composes/${id}`, { headers: owner });
const file = await call('GET', `/composes/odcs-${id}/STATUS`, { headers: owner });
export const validators = {
  'If-None-Match': file.headers.get('etag') ?? '',
  'If-Modified-Since': file.headers.get('last-modified') ?? '',
};

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { readRecordedMessage } from '../../src/listeners/recorded-message.ts';
import { translateMessage } from '../../src/listeners/translate/translate-message.ts';
import type { DomainEvent } from '../../src/model/event.ts';
import { readRules } from '../../src/rules/reload.ts';
import { storeManifest } from '../../src/database/manifests.ts';
import { fingerprintOf } from '../../src/model/fingerprint.ts';
import { Engine, ruleDirectory } from '../rules/engine.ts';
import { quietKoji } from '../rules/quiet-koji.ts';
import { tagEvent } from '../rules/input-event.ts';
import { sharedPath } from '../shared.ts';
import { givenCompose } from './compose-rows.ts';
import { manifestHolding } from './manifest-holding.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
const rule = (name: string, on: string, rest = ''): string => `version: 1
name: ${name}
owner: rel-eng
description: A test.
on:
${on}
settle: 1m
compose:
  source: { type: tag, source: f44 }
${rest}`;
const update = (release: string): string =>
  `  - event: bodhi.update\n    match: { phase: complete, transition: stable, release: ${release} }`;
const directory = ruleDirectory({
  'updates-f25.yaml': rule('updates-f25', update('F25')),
  'updates-f44.yaml': rule('updates-f44', update('F44')),
  'signed.yaml': rule(
    'signed',
    '  - event: koji.tag\n    match: { tag: f44-updates }',
    "require:\n  - koji.builds_signed: { builds: '${events.nvr}' }\n",
  ),
  'modules.yaml': rule('modules', '  - event: mbs.module\n    match: { state: ready }'),
});
after(async () => {
  await api[Symbol.asyncDispose]();
  directory.remove();
});
const reading = await readRules(directory.path);
assert.ok(reading.ok);
const engine = new Engine(api.database, reading.set, {
  koji: { ...quietKoji, unsignedBuilds: async (nvrs) => nvrs },
});
const call = api.withSettings({ rules_dir: directory.path });

/** The meaning of a recorded message. */
function recorded(file: string): DomainEvent {
  const path = sharedPath('messages', 'samples', 'fedora-messaging', file);
  const translation = translateMessage(readRecordedMessage(readFileSync(path, 'utf8'), file));
  return 'event' in translation ? translation.event : assert.fail(translation.poison);
}

const minutes = (count: number): Date => new Date(api.now.getTime() - count * 60_000);
const stable = await engine.receive(
  recorded('bodhi.update.complete.stable-freshmaker-bodhi_update_stable.json'),
  minutes(20),
);
await engine.receive(recorded('mbs.module.state.change-ready-testmodule.json'), minutes(20));
await engine.receive(recorded('buildsys.tag-koji-build-tagged.json'), minutes(20));
await engine.receive(
  tagEvent({ package: 'openssl', nvr: 'openssl-3.2.1-5.fc44', tag: 'f44-updates' }),
  minutes(20),
);
await engine.receive(tagEvent({ package: 'openssl', nvr: 'openssl-3.2.1-51.fc44', tag: 'f43' }), minutes(20));
await engine.advance(minutes(10));

interface Found {
  readonly sentence: string;
  readonly read_as: string;
  readonly rules: readonly { readonly rule: string; readonly outcome: string; readonly words: string }[];
  readonly events: readonly { readonly id: number; readonly kind: string }[];
  readonly composes: readonly { readonly id: number }[];
  readonly held_by: readonly { readonly series: string; readonly packages: readonly string[] }[];
  readonly checks: readonly string[];
}

async function find(query: string): Promise<Found> {
  const { json, status, text } = await call('GET', `/api/1/find?q=${encodeURIComponent(query)}`);
  assert.equal(status, 200, text);
  return JSON.parse(JSON.stringify(json));
}

test('why nothing was composed for a build is told without the number of an event', async () => {
  const found = await find('openssl-3.2.1-5');
  assert.equal(found.sentence, 'One rule looked at it: signed waits: openssl-3.2.1-5.fc44 not signed.');
  assert.deepEqual(
    found.events.map(({ kind }) => kind),
    ['koji.tag'],
    'the build whose release only begins so is another one',
  );
});

test('an update is found by its name, a build, a package and a CVE of it, and each rule says what it made of it', async () => {
  for (const query of [
    'FEDORA-2017-fe6e14dcf9',
    'fedora-2017-FE6E14DCF9',
    'community-mysql-5.7.18-2.fc25',
    'community-mysql',
    'cve-2017-3265',
  ]) {
    const found = await find(query);
    assert.deepEqual(
      found.events.map(({ id }) => id),
      [stable],
      query,
    );
    assert.deepEqual(
      found.rules.map((finding) => [finding.rule, finding.outcome]),
      [
        ['updates-f25', 'requested'],
        ['updates-f44', 'not_matched'],
      ],
    );
    assert.match(found.sentence, /updates-f44 does not fire: "release" is F25, wanted F44/);
  }
});

test('a module is found by its name, its stream and the whole of it, but not by another stream', async () => {
  for (const query of ['testmodule', 'testmodule:master', 'testmodule:master:20181026165847:a5b0195c']) {
    assert.deepEqual(
      (await find(query)).rules.map((finding) => finding.rule),
      ['modules'],
      query,
    );
  }
  assert.deepEqual((await find('testmodule:rawhide')).events, []);
});

test('a rule whose window is open is said to collect events', async () => {
  await engine.receive(tagEvent({ package: 'zlib', nvr: 'zlib-1.3-1.fc44' }), api.now);
  const [verdict] = (await find('zlib')).rules;
  assert.deepEqual([verdict?.rule, verdict?.outcome], ['signed', 'waiting']);
});

test('where nothing of something ever arrived, it says so and what to check', async () => {
  const found = await find('emacs-30.1-2.fc44');
  assert.equal(found.sentence, 'Nothing of emacs-30.1-2.fc44 ever arrived.');
  assert.match(found.checks.join('\n'), /last koji\.tag event came .*, so Koji is heard/);
  assert.match(
    found.checks.join('\n'),
    /No koji\.build event is kept: is the queue bound to the topics of Koji/,
  );
  assert.match((await find('RHSA-2026:1')).checks.join('\n'), /topics of the Errata Tool/);
});

test('composes are found by number, compose id, source and series, and series by what their newest one holds', async () => {
  const lines = manifestHolding('openssl-1:3.2.1-5.fc44.x86_64', 'sha256:1');
  const fingerprint = fingerprintOf(lines);
  await storeManifest(api.database, fingerprint, lines);
  const id = await givenCompose(
    api,
    { state: 'done', time_done: api.now, fingerprint, pungi_compose_id: 'odcs-9-1-20261130.t.0' },
    { source: { type: 'tag', source: 'f26-special' }, series: 'crypto' },
  );
  for (const query of [
    String(id),
    `#${id}`,
    'odcs-9-1-20261130.t.0',
    'f26-special',
    'crypto',
    `odcs-${id}`,
  ]) {
    assert.deepEqual(
      (await find(query)).composes.map((compose) => compose.id),
      [id],
      query,
    );
  }
  for (const query of ['openssl', 'openssl-3.2.1-5']) {
    assert.deepEqual((await find(query)).held_by, [
      { series: 'crypto', compose: id, packages: ['openssl-1:3.2.1-5.fc44.x86_64'] },
    ]);
  }
});

test('what is private is found by whom it is open to, and nobody else', async () => {
  const body = {
    source: { type: 'tag', source: 'f26-secret' },
    series: 'embargoed',
    readers: { users: ['alice'] },
  };
  const id = await givenCompose(api, {}, body);
  const fingerprint = fingerprintOf(manifestHolding('openssl-1:3.2.1-5.fc44.x86_64', 'sha256:1'));
  await api.database.kysely
    .updateTable('composes')
    .set({ state: 'done', time_done: api.now, fingerprint })
    .where('id', '=', id)
    .execute();
  for (const query of [String(id), 'f26-secret', 'embargoed']) {
    assert.deepEqual((await find(query)).composes, [], query);
  }
  assert.ok(!(await find('openssl')).held_by.some(({ series }) => series === 'embargoed'));
});

test('the page and the command tell the same, and ask for something to look for', async () => {
  const page = await call('GET', '/find?q=%3Cscript%3Eopenssl-3.2.1-5');
  assert.ok(!page.text.includes('<script>openssl'));
  assert.match(
    (await call('GET', '/find?q=openssl-3.2.1-5')).text,
    /signed waits: openssl-3.2.1-5.fc44 not signed/,
  );
  assert.match((await call('GET', '/find')).text, /For example/);
  const { status, json } = await call('GET', '/api/1/find?q=+');
  assert.deepEqual([status, json['code']], [400, 'request.invalid_query']);
});

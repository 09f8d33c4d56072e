import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { insertDecisions } from '../../../src/database/decisions.ts';
import { storeManifest } from '../../../src/database/manifests.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { fingerprintOf } from '../../../src/model/fingerprint.ts';
import { formatRepoFile } from '../../../src/rpm/productmd.ts';
import { changeCompose, givenCompose, type RowChange } from '../compose-rows.ts';
import { openTestApi } from '../open-test-api.ts';
import { ruleDirectory, storeEvent } from '../../rules/engine.ts';
import { tagEvent } from '../../rules/input-event.ts';
import { ruleText } from '../../rules/rule-text.ts';
import { manifestHolding } from '../manifest-holding.ts';

const api = await openTestApi();
const directory = ruleDirectory({ 'nightly.yaml': ruleText('- event: koji.tag') });
const wrong = ruleDirectory({ 'nightly.yaml': ruleText('- event: koji.tga') });
after(async () => {
  await api[Symbol.asyncDispose]();
  directory.remove();
  wrong.remove();
});
const call = api.withSettings({ rules_dir: directory.path });
const hostile = `<script>alert(1)</script>"'&`;
const escaped = '&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;';

async function givenMade(release: string, change: RowChange = {}): Promise<number> {
  const lines = manifestHolding(`ed-1:1.14.1-${release}.x86_64`, `sha256:${release}`);
  const fingerprint = fingerprintOf(lines);
  await storeManifest(api.database, fingerprint, lines);
  const id = await givenCompose(api, { state: 'done', time_done: api.now, fingerprint, ...change });
  await api.database.kysely.updateTable('composes').set({ series: 's' }).where('id', '=', id).execute();
  return id;
}

test('a finished compose shows its dnf line, its packages with why, and what changed in its series', async () => {
  const before = await givenMade('1');
  const id = await givenMade('2');
  const root = join(api.targetDir, `odcs-${id}`);
  mkdirSync(join(root, 'logs/global'), { recursive: true });
  mkdirSync(join(root, 'compose/Temporary'), { recursive: true });
  writeFileSync(
    join(root, 'logs/global/why.json'),
    JSON.stringify({ x86_64: { 'ed-1.14.1-2.x86_64.rpm': `It matches ${hostile}.` } }),
  );
  writeFileSync(
    join(root, `compose/Temporary/odcs-${id}.repo`),
    formatRepoFile(
      `odcs-${id}`,
      [{ id: `odcs-${id}`, baseurl: 'http://x' }],
      ['Install the modules of this compose with:', 'dnf module install ed:1/default'],
    ),
  );
  const { status, text } = await call('GET', `/console/composes/${id}`);
  assert.equal(status, 200);
  const repo = `http://odcs.example.com/composes/odcs-${id}/compose/Temporary`;
  assert.ok(
    text.includes(
      `dnf --nogpgcheck --repofrompath=&#39;odcs-${id},${repo}/$basearch/os&#39; module install ed:1/default`,
    ),
  );
  assert.ok(text.includes(`It matches ${escaped}.`));
  assert.ok(text.includes(`ed 1:1.14.1-1 → 1:1.14.1-2 (x86_64 binary)`));
  assert.ok(text.includes(`/console/composes/${before}`));
  assert.match(text, /unsigned/);
  assert.doesNotMatch(text, /<script>/);
});

test('a compose without modules names the packages that were asked for', async () => {
  const { text } = await call('GET', `/console/composes/${await givenMade('3')}`);
  assert.match(text, /\$basearch\/os&#39; install httpd</);
});

test('a compose that is being made is followed by script, and loads itself again without', async () => {
  const id = await givenCompose(api, { state: 'generating' });
  const { text, headers } = await call('GET', `/console/composes/${id}`);
  assert.match(text, new RegExp(`data-follow="/api/1/composes/${id}/events"`));
  assert.match(text, /<noscript><meta http-equiv="refresh"/);
  const policy = headers.get('content-security-policy') ?? '';
  assert.match(
    policy,
    /default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+' http:\/\/odcs\.example\.com\/console\/pages-[0-9a-f]{16}\.js;/,
  );
  assert.doesNotMatch(policy, /unsafe/);
});

test('a failed compose says why on its page and on the overview, escaped', async () => {
  const id = await givenCompose(api, { state: 'failed', state_reason: hostile });
  for (const path of [`/console/composes/${id}`, '/', '/console/composes?state=failed']) {
    const { text } = await call('GET', path);
    assert.ok(text.includes(escaped), path);
    assert.ok(!text.includes('<script>alert'), path);
  }
});

test('the overview says that all is well, or what is not', async () => {
  assert.match((await call('GET', '/')).text, /Everything here is well/);
  const broken = api.withSettings({ rules_dir: wrong.path });
  const { text } = await broken('GET', '/');
  assert.match(text, /nightly\.yaml:6:\d+<\/code>/);
  assert.match((await broken('GET', '/console/rules')).text, /koji\.tag/);
});

test('an event shows its raw message, what rules decided, and the composes', async () => {
  const id = await storeEvent(api.database, tagEvent({ nvr: hostile }), api.now);
  const composeId = await givenCompose(api);
  await transaction(api.database, (tx) =>
    insertDecisions(tx.sql, [
      {
        at: api.now,
        rule: 'nightly',
        ruleSet: 'v1',
        eventId: id,
        windowId: null,
        requestId: null,
        composeId,
        outcome: 'matched',
        why: `Because ${hostile}`,
        trail: [],
      },
    ]),
  );
  const { text } = await call('GET', `/console/events/${id}`);
  assert.ok(text.includes(`Because ${escaped}`));
  assert.ok(text.includes(`/console/composes/${composeId}`));
  assert.ok(!text.includes('<script>alert'));
  assert.ok((await call('GET', '/console/events')).text.includes(escaped));
});

test('what is not there is a page with status 404', async () => {
  for (const path of ['/console/composes/999999', '/console/events/999999', '/console/rules/nope']) {
    const { status, headers } = await call('GET', path);
    assert.equal(status, 404, path);
    assert.match(headers.get('content-type') ?? '', /text\/html/);
  }
});

test('packages are found by a part of their name or wildcards, whatever the case; what is not in it says why', async () => {
  const id = await givenMade('7');
  for (const query of ['E', 'ed', 'E*', '?D']) {
    const { text } = await call('GET', `/console/composes/${id}?q=${encodeURIComponent(query)}`);
    assert.match(text, /<td>ed<span class="soft">\.x86_64/, query);
  }
  const { text } = await call('GET', `/console/composes/${id}?q=emacs`);
  assert.match(
    text,
    /Why nothing of "emacs" is in it\.<\/strong> What was asked for is in it, and what that\s+requires: httpd/,
  );
  assert.match(text, /href="\/find\?q=emacs"/);
});

test('a compose is compared with any other one', async () => {
  const [first, , last] = [await givenMade('20'), await givenMade('21'), await givenMade('22')];
  const { text } = await call('GET', `/console/composes/${last}?since=${first}`);
  assert.match(text, /ed 1:1\.14\.1-20 → 1:1\.14\.1-22/);
  assert.doesNotMatch(text, /the one before in series/);
});

test('a rule is tried on the events of a week on its page', async () => {
  const { text } = await call('GET', '/console/rules/nightly?try=7d');
  assert.match(text, /events of its kinds: \d+ fire it/);
  assert.match(text, /It did: /);
  assert.match(text, /First event to decision|No window: no event fires the rule/);
});

test('an address where nothing is answers a page to whoever wants one, and JSON to programs', async () => {
  const page = await call('GET', '/console/nope', { headers: { accept: 'text/html,*/*' } });
  assert.equal(page.status, 404);
  assert.match(page.text, /<h1>There is nothing at \/console\/nope\.<\/h1>/);
  assert.equal((await call('GET', '/console/nope')).json['code'], 'request.unknown_url');
  const api1 = await call('GET', '/api/1/nope', { headers: { accept: 'text/html' } });
  assert.equal(api1.json['code'], 'request.unknown_url');
});

test('every page has the field that finds, and the script under an address of its own', async () => {
  const { text } = await call('GET', '/console/events');
  assert.match(text, /<form class="find" role="search" action="\/find">/);
  const path = /<script src="([^"]+)" integrity="sha256-[^"]+" defer><\/script>/.exec(text)?.[1] ?? '';
  const script = await call('GET', path);
  assert.equal(script.status, 200);
  assert.match(script.headers.get('content-type') ?? '', /^text\/javascript/);
  assert.match(script.headers.get('cache-control') ?? '', /immutable/);
  assert.match(script.text, /event\.key !== '\/'/);
});

test('a rule is paused and resumed by its buttons, and only from pages of this service', async () => {
  const form = (reason: string, origin: string) => ({
    text: new URLSearchParams({ reason }).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: origin },
  });
  const ours = 'http://odcs.example.com';
  assert.match((await call('GET', '/console/rules/nightly')).text, /<button>\s*Pause/);
  const foreign = await call('POST', '/console/rules/nightly/pause', form('x', 'https://evil.example'));
  assert.equal(foreign.status, 403);
  assert.equal((await call('POST', '/console/rules/nightly/pause', form(' ', ours))).status, 400);
  const paused = await call('POST', '/console/rules/nightly/pause', form('mass rebuild', ours));
  assert.deepEqual([paused.status, paused.headers.get('location')], [303, '/console/rules/nightly']);
  assert.match((await call('GET', '/')).text, /mass rebuild/);
  const shown = await call('GET', '/console/rules/nightly');
  assert.match(shown.text, /mass rebuild/);
  assert.match(shown.text, /<button>\s*Resume/);
  assert.equal((await call('POST', '/console/rules/nightly/resume', form('', ours))).status, 303);
  assert.doesNotMatch((await call('GET', '/console/rules/nightly')).text, /mass rebuild/);
});

test('who may not steer a rule sees no buttons and is refused', async () => {
  const strict = api.withSettings({ rules_dir: directory.path, auth_backend: 'kerberos' });
  const headers = { 'X-Remote-User': 'mallory@EXAMPLE.COM', 'X-Remote-Groups': 'others' };
  for (const sent of [{}, headers]) {
    const { status, text } = await strict('GET', '/console/rules/nightly', { headers: sent });
    assert.equal(status, 200);
    assert.doesNotMatch(text, /<form method="post"/);
  }
  const refused = await strict('POST', '/console/rules/nightly/pause', { text: 'reason=x', headers });
  assert.equal(refused.status, 403);
  const owner = { 'X-Remote-User': 'olga@EXAMPLE.COM', 'X-Remote-Groups': 'rel-eng' };
  assert.match((await strict('GET', '/console/rules/nightly', { headers: owner })).text, /<form/);
});

test('links keep the prefix under which a proxy mounts the service', async () => {
  const id = await givenCompose(api);
  await changeCompose(api, id, { state: 'done' });
  const { text } = await call('GET', '/console/composes', { headers: { 'X-Script-Name': '/odcs' } });
  assert.match(text, new RegExp(`href="/odcs/console/composes/${id}"`));
});

test('lists that hold nothing yet name the command that brings the first', async () => {
  const empty = await openTestApi();
  try {
    const commands: Readonly<Record<string, RegExp>> = {
      '/': /odcs-reactor compose create/,
      '/console/composes': /odcs-reactor compose create/,
      '/console/series': /odcs-reactor compose create TYPE SOURCE --series NAME/,
      '/console/events': /odcs-reactor events tail/,
      '/console/rules': /odcs-reactor rules new/,
    };
    for (const [path, command] of Object.entries(commands)) {
      const [, said = ''] = (await empty.call('GET', path)).text.split('class="empty"');
      assert.match(said, command, path);
    }
  } finally {
    await empty[Symbol.asyncDispose]();
  }
});

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { formatSummaries, type AdvisorySummary } from '../../src/rpm/advisory-summary.ts';
import { changeCompose, givenCompose } from './compose-rows.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const hostile = '<script>alert(1)</script> & "more"';

function summary(id: string, cves: readonly string[]): AdvisorySummary {
  return {
    id,
    type: 'security',
    severity: 'Important',
    title: `${id} ${hostile}`,
    issued: '2026-11-01 10:00:00',
    updated: '2026-11-01 10:00:00',
    cves: [...cves],
    arches: ['x86_64'],
    packages: ['ed-0:1.20-1.x86_64'],
  };
}

/** A done compose of a series with its files; null for one that has no advisories. */
async function givenDone(
  series: string,
  advisories: readonly AdvisorySummary[] | null,
  files: Readonly<Record<string, string>> = {},
): Promise<number> {
  const id = await givenCompose(api, { state: 'done', time_done: api.now });
  await api.database.kysely.updateTable('composes').set({ series }).where('id', '=', id).execute();
  const directory = join(api.targetDir, `odcs-${id}`);
  mkdirSync(join(directory, 'logs/global'), { recursive: true });
  writeFileSync(join(directory, 'STATUS'), 'FINISHED\n');
  const told = advisories === null ? {} : { 'logs/global/advisories.json': formatSummaries(advisories) };
  for (const [name, text] of Object.entries({ ...told, ...files }))
    writeFileSync(join(directory, name), text);
  return id;
}

const address = (id: number): string => `/api/1/composes/${id}/advisories`;

test('the advisories of a compose are told, with what is new since the one before in its series', async () => {
  const first = await givenDone('a', [summary('A-1', ['CVE-2026-10001'])]);
  await givenDone('b', [summary('A-3', [])]);
  const both = [summary('A-1', ['CVE-2026-10001']), summary('A-2', ['CVE-2026-10001', 'CVE-2026-10002'])];
  const second = await givenDone('a', both);
  assert.deepEqual((await api.call('GET', address(first))).json, {
    compose: first,
    since: null,
    new: null,
    advisories: both.slice(0, 1),
  });
  assert.deepEqual((await api.call('GET', address(second))).json, {
    compose: second,
    since: first,
    new: { advisories: ['A-2'], cves: ['CVE-2026-10002'] },
    advisories: both,
  });
});

test('?since names the compose to compare with', async () => {
  const none = await givenDone('c', null);
  await givenDone('c', [summary('A-1', [])]);
  const last = await givenDone('c', [summary('A-1', [])]);
  assert.deepEqual((await api.call('GET', address(last))).json['new'], { advisories: [], cves: [] });
  const { json } = await api.call('GET', `${address(last)}?since=${none}`);
  assert.deepEqual([json['since'], json['new']], [none, { advisories: ['A-1'], cves: [] }]);
  assert.deepEqual((await api.call('GET', address(none))).json['advisories'], []);
  for (const since of ['x', '-1', '999999']) {
    assert.equal((await api.call('GET', `${address(last)}?since=${since}`)).status, 404, since);
  }
});

test('a compose whose files are gone, damaged or not made yet has no advisories to tell', async () => {
  const removed = await givenDone('d', [summary('A-1', [])]);
  await changeCompose(api, removed, { state: 'removed' });
  const damaged = await givenDone('d', null, { 'logs/global/advisories.json': '[{}]' });
  const waiting = await givenCompose(api);
  for (const id of [removed, damaged, waiting]) {
    const { status, json } = await api.call('GET', address(id));
    assert.equal(status, 404);
    assert.equal(json['code'], 'compose.no_advisories');
  }
  const after = await givenDone('d', [summary('A-1', [])]);
  const { json } = await api.call('GET', `${address(after)}?since=${removed}`);
  assert.deepEqual([json['since'], json['new']], [null, null]);
  assert.equal((await api.call('GET', address(999_999))).status, 404);
});

test('the page of a compose lists its advisories, new ones first, as text', async () => {
  await givenDone('e', [summary('A-1', ['CVE-2026-10001'])]);
  const id = await givenDone('e', [summary('A-1', ['CVE-2026-10001']), summary('A-2', ['CVE-2026-10002'])]);
  const { text } = await api.call('GET', `/console/composes/${id}`);
  assert.ok(text.includes('id="advisories"'));
  assert.match(text, /1 new since/);
  assert.ok(text.indexOf('<strong>A-2</strong>') < text.indexOf('<strong>A-1</strong>'));
  assert.ok(text.includes('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;'));
  assert.ok(!text.includes('<script>alert(1)'));
  const bare = await givenDone('f', null);
  assert.ok(!(await api.call('GET', `/console/composes/${bare}`)).text.includes('id="advisories"'));
});

import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { command } from '../../src/commands/compose.ts';
import { runCommand } from '../commands/run-command.ts';
import { sharedPath } from '../shared.ts';
import { givenCompose } from './compose-rows.ts';
import { listen } from './listen.ts';
import { openTestApi } from './open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const id = await givenCompose(
  api,
  { state: 'done', time_done: api.now, fingerprint: 'f'.repeat(64) },
  { source: { type: 'tag', source: 'f26', packages: ['httpd'] }, series: 'billed' },
);
await givenCompose(
  api,
  {},
  { source: { type: 'tag', source: 'f26', packages: ['httpd'] }, series: 'unfinished' },
);
const waiting = await givenCompose(api);
const removed = await givenCompose(api, { state: 'removed' });
const elsewhere = await givenCompose(api, { state: 'done', time_done: api.now });
for (const tree of ['x86_64/os', 'aarch64/os', 'x86_64/debug/tree', 'source/tree']) {
  const directory = join(api.targetDir, `odcs-${id}`, 'compose/Temporary', tree);
  mkdirSync(directory, { recursive: true });
  // The same files in each: what is told once is told of the first.
  cpSync(sharedPath('odcs', 'repo'), directory, { recursive: true });
}
const path = `/api/1/composes/${id}/sbom`;

test('the bill of a compose lists each file once, in either format', async () => {
  const { status, headers, text, json } = await api.call('GET', path);
  assert.equal(status, 200, text);
  assert.match(headers.get('content-type') ?? '', /cyclonedx/);
  assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);
  const components = json['components'] as { purl: string }[];
  assert.ok(components.length > 0);
  assert.equal(new Set(components.map(({ purl }) => purl)).size, components.length);
  assert.ok(components.every(({ purl }) => purl.endsWith(`repository_id=odcs-${id}`)));
  const spdx = await api.call('GET', `${path}?format=spdx`);
  assert.equal((spdx.json['packages'] as unknown[]).length, components.length + 1);
  assert.equal((await api.call('GET', path)).text, text);
});

test('the bill of a series is that of what it shows, also at the command line', async () => {
  const { text } = await api.call('GET', path);
  assert.equal((await api.call('GET', '/api/1/series/billed/sbom')).text, text);
  const at = encodeURIComponent(api.now.toISOString());
  assert.equal((await api.call('GET', `/api/1/series/billed/sbom?at=${at}`)).text, text);
  await using server = await listen(api.context);
  for (const billed of [String(id), 'billed']) {
    const run = await runCommand(command, ['sbom', billed], { ODCS_SERVER: server.url });
    assert.deepEqual(JSON.parse(run.out), JSON.parse(text));
  }
  const spdx = await runCommand(command, ['sbom', 'billed', '--format', 'spdx'], { ODCS_SERVER: server.url });
  assert.match(spdx.out, /"spdxVersion": "SPDX-2\.3"/);
});

for (const [title, asked, status, code] of [
  ['a series that shows nothing', '/api/1/series/unfinished/sbom', 404, 'series.nothing_shown'],
  ['a series that is not there', '/api/1/series/nobody/sbom', 404, 'series.not_found'],
  ['an unknown format', `${path}?format=xml`, 400, 'sbom.format_unknown'],
  ['a compose that is not done', `/api/1/composes/${waiting}/sbom`, 409, 'compose.not_done'],
  ['a compose that was removed', `/api/1/composes/${removed}/sbom`, 410, 'compose.removed'],
  ['a compose whose files are not here', `/api/1/composes/${elsewhere}/sbom`, 404, 'compose.not_here'],
  ['no compose', '/api/1/composes/999999/sbom', 404, 'compose.not_found'],
] as const) {
  test(`${title} has no bill, and a sentence says so`, async () => {
    const answer = await api.call('GET', asked);
    assert.equal(answer.status, status, answer.text);
    if (code !== 'compose.not_found') assert.equal(answer.json['code'], code);
  });
}

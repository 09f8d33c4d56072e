import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { runRequest } from '../../src/composer/run-request.ts';
import { findComposeRequest } from '../../src/database/compose-requests.ts';
import { transaction } from '../../src/database/transaction.ts';
import { placeComposeRequest, type NewComposeRequest } from '../../src/lifecycle/place-request.ts';
import { openTestComposer } from './open-test-composer.ts';

const composer = await openTestComposer();
const { context } = composer;
const { database } = context;
after(() => composer[Symbol.asyncDispose]());

const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);

/** Stores what a rule asks for and runs it to its end. */
async function ask(series: string, body: Record<string, unknown>, more: Partial<NewComposeRequest> = {}) {
  const { id } = await transaction(database, (tx) =>
    placeComposeRequest(
      tx,
      {
        rule: 'a-rule',
        series,
        body,
        priority: 'normal',
        causes: [],
        minEvent: null,
        chain: [],
        unchanged: 'skip',
        notBefore: null,
        ...more,
      },
      'queue',
    ),
  );
  const { signal } = new AbortController();
  await runRequest(context, id, { signal, number: 1, isLast: true });
  const row = await findComposeRequest(database.kysely, id);
  assert.ok(row);
  return row;
}

function bodyOf(packages: readonly string[], more: object = {}): Record<string, unknown> {
  return { source: { type: 'repo', source: repository.directory, packages }, seconds_to_live: 3600, ...more };
}

test('the first request of a series makes a compose that belongs to it', async () => {
  const row = await ask('first', bodyOf(['ed']));
  assert.equal(row.state, 'composed');
  const compose = await composer.find(row.compose_id ?? 0);
  assert.equal(compose.state, 'done');
  assert.equal(compose.series, 'first');
  assert.equal(compose.owner, 'rule:a-rule');
  assert.equal(compose.requestId, row.id);
});

test('the same inputs again end as unchanged, name the compose and let it live longer', async () => {
  const first = await ask('same', bodyOf(['bash']));
  composer.now = new Date(composer.now.getTime() + 1_800_000);
  const again = await ask('same', bodyOf(['bash']));
  assert.equal(again.state, 'unchanged');
  assert.equal(again.compose_id, first.compose_id);
  assert.match(again.reason ?? '', /same packages and options as compose \d+/);
  const compose = await composer.find(first.compose_id ?? 0);
  assert.equal(compose.timeToExpire.getTime(), composer.now.getTime() + 3_600_000);
});

test('another package asked for is another compose', async () => {
  await ask('other', bodyOf(['curl']));
  const row = await ask('other', bodyOf(['curl', 'ed']));
  assert.equal(row.state, 'composed');
});

test('a rule that wants it is composed anew though nothing changed', async () => {
  const first = await ask('forced', bodyOf(['nginx']));
  const again = await ask('forced', bodyOf(['nginx']), { unchanged: 'compose' });
  assert.equal(again.state, 'composed');
  assert.notEqual(again.compose_id, first.compose_id);
  const compose = await composer.find(again.compose_id ?? 0);
  assert.equal(compose.reusedId, null);
});

test('a compose whose directory is gone counts as no compose', async () => {
  const first = await ask('gone', bodyOf(['openssl']));
  const shown = await composer.find(first.compose_id ?? 0);
  rmSync(join(composer.targetDir, `odcs-${shown.reusedId ?? shown.id}`), { recursive: true, force: true });
  const again = await ask('gone', bodyOf(['openssl']));
  assert.equal(again.state, 'composed');
});

test('a body that POST would refuse ends as failed with the sentence of the refusal', async () => {
  const row = await ask('wrong', { source: { type: 'nonsense', source: 'x' } });
  assert.equal(row.state, 'failed');
  assert.match(row.reason ?? '', /Unknown source type "nonsense"/);
  assert.equal(row.compose_id, null);
});

test('a package that is not there fails the request and makes no compose', async () => {
  const row = await ask('missing', bodyOf(['nobody']));
  assert.equal(row.state, 'failed');
  assert.match(row.reason ?? '', /not present in the generated compose: nobody\./);
  assert.equal(row.compose_id, null);
});

test('what failed is no baseline: the next request of the series is composed', async () => {
  await ask('again', bodyOf(['nobody']));
  const row = await ask('again', bodyOf(['ed', 'bash']));
  assert.equal(row.state, 'composed');
});

/** Gives the repository an advisory about ed. */
function advise({ title, severity }: { readonly title: string; readonly severity: string }): void {
  const file = join(composer.folder, 'updateinfo.xml');
  const packages = '<package name="ed" version="1.20.2" release="1" epoch="0" arch="x86_64"/>';
  writeFileSync(
    file,
    `<updates><update type="security" from="a@b" status="stable" version="2">
     <id>FEDORA-2026-1</id><title>${title}</title><severity>${severity}</severity>
     <pkglist><collection short="F"><name>F</name>${packages}</collection></pkglist></update></updates>`,
  );
  execFileSync('modifyrepo_c', [file, join(repository.directory, 'repodata')], { stdio: 'ignore' });
}

test('a rule may say that another text of an advisory is worth no compose; another severity still is', async () => {
  const wish = { unchanged: 'skip_texts' } as const;
  const body = bodyOf(['ed'], { arches: ['x86_64'] });
  advise({ title: 'one', severity: 'Low' });
  const first = await ask('texts', body, wish);
  assert.equal(first.state, 'composed');
  const file = join(composer.targetDir, `odcs-${first.compose_id}`, 'logs/global/advisories.json');
  assert.match(readFileSync(file, 'utf8'), /FEDORA-2026-1/);
  advise({ title: 'another', severity: 'Low' });
  const again = await ask('texts', body, wish);
  assert.deepEqual([again.state, again.compose_id], ['unchanged', first.compose_id]);
  assert.match(again.reason ?? '', /in other words/);
  assert.equal((await ask('texts', body)).state, 'composed');
  advise({ title: 'another', severity: 'Critical' });
  assert.equal((await ask('texts', body, wish)).state, 'composed');
});

test('what is new is not told in comparison with a compose that fewer people may read', async () => {
  const body = bodyOf(['ed'], { arches: ['x86_64'] });
  advise({ title: 'one', severity: 'Low' });
  const readers = { users: ['jana'], groups: [] };
  await ask('opened', { ...body, readers });
  advise({ title: 'two', severity: 'Low' });
  const open = await ask('opened', body);
  assert.equal((await composer.find(open.compose_id ?? 0)).newAdvisories, null);
  advise({ title: 'three', severity: 'Low' });
  const next = await ask('opened', body);
  assert.equal((await composer.find(next.compose_id ?? 0)).newAdvisories?.since, open.compose_id);
});

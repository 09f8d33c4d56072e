import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
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
  const row = await findComposeRequest(database.handle, id);
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

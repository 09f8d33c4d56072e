import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { planContext } from '../../src/composer/composer-context.ts';
import { planCompose } from '../../src/composer/plan.ts';
import { transaction } from '../../src/database/transaction.ts';
import { cancelCompose, lockToEnd } from '../../src/lifecycle/cancel-compose.ts';
import { beginCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import type { Compose } from '../../src/model/compose-json.ts';
import type { ComposeRequest } from '../../src/model/compose.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';

const composer = await openTestComposer();
const { context } = composer;
after(() => composer[Symbol.asyncDispose]());

const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);
let packages = 0;

/** A request whose plan no other test has. */
function freshRequest(more: Partial<ComposeRequest> = {}): ComposeRequest {
  const names = ['bash', 'curl', 'ed', 'nginx', 'openssl'];
  packages += 1;
  const chosen = names.filter((_, index) => (packages >> index) % 2 === 1);
  return repoRequest(repository.directory, chosen, more);
}

function publishedIds(): number[] {
  return readdirSync(composer.targetDir)
    .flatMap((name) => /^odcs-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number);
}

/** A compose that has claimed its fingerprint and is being built by a process we do not see. */
async function givenGenerating(request: ComposeRequest): Promise<Compose> {
  const { id } = await composer.insert(request);
  const { signal } = new AbortController();
  const plan = await planCompose(
    planContext(
      context,
      { series: null, targetDir: 'default' },
      { log: context.log, signal, progress: () => undefined },
    ),
    request,
  );
  await transaction(context.database, async (tx) => {
    const held = await beginCompose(tx, id);
    assert.ok(held);
    await moveHeldCompose(tx, held, 'pin', {
      reason: 'Compose is generating',
      pinned: { fingerprint: plan.fingerprint, pungiComposeId: `odcs-${id}-1-20261122.t.0` },
    });
  });
  return composer.find(id);
}

async function end(id: number, to: 'done' | 'failed', reason: string): Promise<void> {
  const { attempt } = await composer.find(id);
  await transaction(context.database, async (tx) => {
    await moveHeldCompose(tx, { id, attempt }, to === 'done' ? 'publish' : 'fail', { reason });
  });
}

async function cancel(id: number): Promise<string> {
  return transaction(context.database, async (tx) => {
    const compose = await lockToEnd(tx, id);
    assert.ok(compose);
    return cancelCompose(tx, compose, 'somebody');
  });
}

test('a compose whose plan a done one has shows its directory and lives as long', async () => {
  const request = freshRequest();
  const first = await composer.compose(request);
  const second = await composer.compose(
    { ...request, secondsToLive: 7200, label: 'RC-1.0' },
    { owner: 'other' },
  );
  assert.equal(second.state, 'done');
  assert.equal(second.stateReason, 'Compose is generated successfully');
  assert.equal(second.reusedId, first.id);
  assert.equal(second.pungiComposeId, first.pungiComposeId);
  assert.deepEqual((await composer.find(first.id)).timeToExpire, second.timeToExpire);
  assert.ok(!publishedIds().includes(second.id));
});

test('what reuses a reusing compose shows the one that was built', async () => {
  const request = freshRequest();
  const first = await composer.compose(request);
  await composer.compose(request);
  assert.equal((await composer.compose(request)).reusedId, first.id);
});

test('no_reuse builds again', async () => {
  const request = freshRequest();
  await composer.compose(request);
  const second = await composer.compose({ ...request, flags: ['no_reuse'] });
  assert.equal(second.reusedId, null);
  assert.ok(publishedIds().includes(second.id));
});

test('a compose in another target directory is not reused', async () => {
  const request = freshRequest();
  await composer.compose(request);
  const second = await composer.compose({ ...request, targetDir: 'private' });
  assert.equal(second.reusedId, null);
  assert.ok(existsSync(join(composer.folder, 'private', `odcs-${second.id}`, 'STATUS')));
});

test('the .repo file of a target directory without a URL says so and leads nowhere', async () => {
  const { id } = await composer.compose({ ...freshRequest(), targetDir: 'private' });
  const file = join(composer.folder, 'private', `odcs-${id}/compose/Temporary/odcs-${id}.repo`);
  const text = readFileSync(file, 'utf8');
  assert.match(text, /^# This compose lies in the target directory private, which has no public address\.\n/);
  assert.doesNotMatch(text, /^(?!#)./m);
});

test('the .repo file of a target directory with a URL leads there', async () => {
  const urls = { private: 'https://private.example.com/c' };
  await using other = await openTestComposer({ extra_target_dir_urls: urls });
  const { id } = await other.compose({ ...freshRequest(), targetDir: 'private' });
  const file = join(other.folder, 'private', `odcs-${id}/compose/Temporary/odcs-${id}.repo`);
  const baseurl = `baseurl=https://private.example.com/c/odcs-${id}/compose/Temporary/$basearch/os`;
  assert.ok(readFileSync(file, 'utf8').split('\n').includes(baseurl));
});

test('a done compose whose directory is gone is not reused', async () => {
  const request = freshRequest();
  const first = await composer.compose(request);
  rmSync(join(composer.targetDir, `odcs-${first.id}`), { recursive: true });
  assert.equal((await composer.compose(request)).reusedId, null);
});

test('an expired compose is not reused', async () => {
  const request = freshRequest();
  await composer.compose(request);
  composer.now = new Date(composer.now.getTime() + 2 * 3600 * 1000);
  assert.equal((await composer.compose(request)).reusedId, null);
});

test('a compose attaches to one that is being made, and is done or failed with it', async () => {
  for (const outcome of ['done', 'failed'] as const) {
    const request = freshRequest();
    const maker = await givenGenerating(request);
    const waiting = await composer.compose(request);
    assert.equal(waiting.state, 'generating');
    assert.equal(waiting.reusedId, maker.id);
    await end(maker.id, outcome, `it is ${outcome}`);
    const ended = await composer.find(waiting.id);
    assert.equal(ended.state, outcome);
    assert.equal(ended.stateReason, `it is ${outcome}`);
  }
});

test('when the compose that is waited for is cancelled, those who wait go on by themselves', async () => {
  const request = freshRequest();
  const maker = await givenGenerating(request);
  const waiting = await composer.compose(request);
  assert.equal(await cancel(maker.id), 'requested');
  await end(maker.id, 'failed', 'Canceled by somebody');
  const released = await composer.find(waiting.id);
  assert.equal(released.state, 'wait');
  assert.equal(released.reusedId, null);
  const done = await composer.run(waiting.id);
  assert.equal(done.state, 'done');
  assert.equal(done.reusedId, null);
});

test('a cancelled compose that fails for another reason does not leave those who wait behind', async () => {
  const request = freshRequest();
  const maker = await givenGenerating(request);
  const waiting = await composer.compose(request);
  await cancel(maker.id);
  await end(maker.id, 'failed', 'The disk is full');
  assert.equal((await composer.find(waiting.id)).state, 'wait');
});

test('a compose that is to be cancelled is not attached to', async () => {
  const request = freshRequest();
  const maker = await givenGenerating(request);
  await cancel(maker.id);
  const other = await composer.compose(request);
  assert.equal(other.state, 'done');
  assert.equal(other.reusedId, null);
});

test('one who waits can be cancelled alone', async () => {
  const request = freshRequest();
  const maker = await givenGenerating(request);
  const waiting = await composer.compose(request);
  assert.equal(await cancel(waiting.id), 'cancelled');
  assert.equal((await composer.find(waiting.id)).state, 'failed');
  assert.equal((await composer.find(maker.id)).state, 'generating');
  await end(maker.id, 'done', 'done');
  assert.equal((await composer.find(waiting.id)).state, 'failed');
});

test('when a second attempt plans something else, those who wait for the first go on by themselves', async () => {
  const request = freshRequest();
  const maker = await givenGenerating(request);
  const waiting = await composer.compose(request);
  await context.database.kysely
    .updateTable('composes')
    .set({ fingerprint: 'of-another-plan' })
    .where('id', 'in', [maker.id, waiting.id])
    .execute();
  assert.equal((await composer.run(maker.id)).state, 'done');
  const released = await composer.find(waiting.id);
  assert.equal(released.state, 'wait');
  assert.equal((await composer.run(waiting.id)).reusedId, maker.id);
});

test('of equal plans made at once one is built', async () => {
  const request = freshRequest();
  const ids: number[] = [];
  for (let count = 0; count < 6; count += 1) ids.push((await composer.insert(request)).id);
  await Promise.all(ids.map((id) => composer.run(id)));
  const all = await Promise.all(ids.map((id) => composer.find(id)));
  assert.deepEqual(
    all.map((compose) => compose.state),
    ids.map(() => 'done'),
  );
  const built = all.filter((compose) => compose.reusedId === null);
  assert.equal(built.length, 1);
  assert.deepEqual(
    publishedIds().filter((id) => ids.includes(id)),
    [built[0]?.id],
  );
});

test('what an attempt showed right before a crash is made anew by the next', async () => {
  const request = freshRequest();
  const template = await composer.compose({ ...request, targetDir: 'private' });
  const maker = await givenGenerating(request);
  const shown = join(composer.targetDir, `odcs-${maker.id}`);
  renameSync(join(composer.folder, 'private', `odcs-${template.id}`), shown);
  writeFileSync(join(shown, 'of-the-first-attempt'), '');
  assert.equal((await composer.run(maker.id)).state, 'done');
  assert.ok(!existsSync(join(shown, 'of-the-first-attempt')));
  assert.ok(existsSync(join(shown, 'STATUS')));
  assert.ok(existsSync(join(composer.targetDir, `latest-odcs-${maker.id}-1`, 'STATUS')));
});

test('no half-made directory is left', () => {
  assert.deepEqual(
    readdirSync(composer.targetDir).filter((name) => name.startsWith('.odcs-')),
    [],
  );
});

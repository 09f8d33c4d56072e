import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { buildCompose } from '../../src/composer/build/build.ts';
import { planContext } from '../../src/composer/composer-context.ts';
import { planCompose } from '../../src/composer/plan.ts';
import { buildingDirectory, showBuilt } from '../../src/composer/publish.ts';
import { retireComposes } from '../../src/composer/retire.ts';
import { runCompose } from '../../src/composer/run-compose.ts';
import { transaction } from '../../src/database/transaction.ts';
import { cancelCompose, lockToEnd } from '../../src/lifecycle/cancel-compose.ts';
import { beginCompose } from '../../src/lifecycle/move-compose.ts';
import type { ComposeRequest } from '../../src/model/compose.ts';
import { ReactorError } from '../../src/model/errors.ts';
import { BlockCache } from '../../src/rpm/repodata/block-cache.ts';
import { startFileServer } from '../upstream/koji/file-server.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';
import { startSlowServer } from './serve-process.ts';

const composer = await openTestComposer();
const { context } = composer;
after(() => composer[Symbol.asyncDispose]());

const source = join(composer.folder, 'repository');
const repository = createDemoRepository(source);
await repository.add('base', composer.now);
const request = (packages: readonly string[], more: Partial<ComposeRequest> = {}): ComposeRequest =>
  repoRequest(source, packages, more);
const HOUR = 3_600_000;

function entries(): string[] {
  return readdirSync(composer.targetDir).filter((name) => name.includes('odcs-'));
}

async function plan(asked: ComposeRequest) {
  const { signal } = new AbortController();
  return planCompose(
    planContext(
      context,
      { series: null, targetDir: 'default' },
      { log: context.log, signal, progress: () => undefined },
    ),
    asked,
  );
}

async function cancel(id: number): Promise<void> {
  await transaction(context.database, async (tx) => {
    const compose = await lockToEnd(tx, id);
    assert.ok(compose);
    await cancelCompose(tx, compose, 'somebody');
  });
}

test('the same plan gives the same bytes, whatever the cache holds', async () => {
  const made = await plan(request(['curl', 'nginx']));
  const identity = { name: 'odcs-1', date: '20261122', type: 'test', respin: 0, label: null, timestamp: 1 };
  const read = async (name: string): Promise<Map<string, string>> => {
    const directory = join(composer.folder, name);
    mkdirSync(directory);
    const { signal } = new AbortController();
    const resources = { signal, progress: () => undefined, blocks: new BlockCache() };
    await buildCompose(
      { ...resources, output: context.output, placing: context.placing, localPathOf: context.localPathOf },
      { plan: made, identity, place: { toplevelUrl: 'http://x' } },
      directory,
    );
    const files = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    return new Map(
      files.map((file) => [file.slice(directory.length), readFileSync(file).toString('base64')]),
    );
  };
  assert.deepEqual(await read('once'), await read('twice'));
});

test('who asks, for how long and under what label does not matter to the plan; what is asked for does', async () => {
  const { fingerprint } = await plan(request(['curl', 'nginx']));
  const same = [
    request(['nginx', 'curl'], { secondsToLive: 7, label: 'RC-1.0', composeType: 'nightly' }),
    request(['curl', 'nginx', 'openssl-libs']),
  ];
  const [reordered] = await Promise.all(same.map((request) => plan(request)));
  assert.equal(reordered?.fingerprint, fingerprint);
  const different = [
    request(['curl']),
    request(['curl', 'nginx'], { arches: ['x86_64', 'aarch64'] }),
    request(['curl', 'nginx'], { flags: ['no_deps'] }),
    request(['curl', 'nginx'], { respinOf: 'Fedora-43-20260101.0' }),
  ];
  for (const other of different) assert.notEqual((await plan(other)).fingerprint, fingerprint);
  const copy = join(composer.folder, 'copy');
  cpSync(source, copy, { recursive: true });
  assert.equal((await plan(repoRequest(copy, ['curl', 'nginx']))).fingerprint, fingerprint);
});

test('a cancelled compose stops in the middle, says who did it, and leaves nothing', async () => {
  await using slow = await startSlowServer(source);
  const { id } = await composer.insert(repoRequest(slow.url, ['ed'], { flags: ['no_reuse'] }));
  const running = composer.run(id, { isLast: false });
  await slow.held;
  await cancel(id);
  const ended = await running;
  assert.equal(ended.state, 'failed');
  assert.equal(ended.stateReason, 'Canceled by somebody');
  assert.ok(!entries().some((name) => name.includes(`odcs-${id}`)));
});

test('a later attempt takes away what an earlier one built, which so has nothing left to show', async () => {
  const { id } = await composer.insert(request(['curl'], { flags: ['no_reuse'] }));
  const slept = await transaction(context.database, (tx) => beginCompose(tx, id));
  assert.ok(slept);
  const built = buildingDirectory(composer.targetDir, slept);
  mkdirSync(built);
  writeFileSync(join(built, 'STATUS'), 'of the sleeper');
  assert.equal((await composer.run(id)).state, 'done');
  assert.ok(!existsSync(built));
  await assert.rejects(showBuilt(composer.targetDir, slept), { code: 'ENOENT' });
});

test("a compose that takes too long fails with ODCS's sentence", async () => {
  await using slow = await startSlowServer(source);
  const { id } = await composer.insert(repoRequest(slow.url, ['bash'], { flags: ['no_reuse'] }));
  const { signal } = new AbortController();
  await runCompose({ ...context, composeTimeout: 0.3 }, id, { signal, number: 1, isLast: false });
  const ended = await composer.find(id);
  assert.equal(ended.state, 'failed');
  assert.match(
    ended.stateReason ?? '',
    /Compose has taken more time than allowed by configuration \(0\.3 seconds\)/,
  );
});

test('an upstream that is away is asked again, and the compose says what it waits for', async () => {
  const files = await startFileServer(source);
  const { id } = await composer.insert(repoRequest(files.url, ['ed'], { flags: ['no_reuse'] }));
  files.troubles.push({ kind: 'status', status: 503 }, { kind: 'status', status: 503 });
  await assert.rejects(
    composer.run(id, { isLast: false }),
    (error: unknown) => error instanceof ReactorError && error.fate === 'retry',
  );
  const waiting = await composer.find(id);
  assert.equal(waiting.state, 'generating');
  assert.match(
    waiting.stateReason ?? '',
    /^Waits to be tried again\. .*The repository answered 503\. \(http:\S+\/repodata\/repomd\.xml\)/,
  );
  const done = await composer.run(id, { number: 2, isLast: false });
  assert.equal(done.state, 'done');
  assert.equal(done.stateReason, 'Compose is generated successfully');
  await files.close();
});

test('a lost lease changes nothing: the compose belongs to another process', async () => {
  await using slow = await startSlowServer(source);
  const { id } = await composer.insert(repoRequest(slow.url, ['nginx'], { flags: ['no_reuse'] }));
  const lease = new AbortController();
  const running = runCompose(context, id, { signal: lease.signal, number: 1, isLast: true });
  const lost = assert.rejects(running);
  await slow.held;
  lease.abort(new Error('another has it'));
  await lost;
  assert.equal((await composer.find(id)).state, 'generating');
  slow.open();
  assert.equal((await composer.run(id)).state, 'done');
  assert.deepEqual(
    entries().filter((name) => name.includes(`odcs-${id}`)),
    [`latest-odcs-${id}-1`, `odcs-${id}`],
  );
});

test('progress is noted while a compose runs and gone when it is done', async () => {
  await using slow = await startSlowServer(source);
  const { id } = await composer.insert(repoRequest(slow.url, ['curl'], { flags: ['no_reuse'] }));
  const running = composer.run(id);
  let seen = (await composer.find(id)).progress;
  while (seen === null) {
    await pause(20);
    seen = (await composer.find(id)).progress;
  }
  assert.ok(['plan', 'resolve', 'place', 'metadata'].includes(seen.stage), seen.stage);
  slow.open();
  assert.equal((await running).progress, null);
});

test('an expired compose is removed with its directory, unless a living one shows it', async () => {
  const first = await composer.compose(request(['bash'], { flags: ['no_reuse'] }));
  const second = await composer.compose(request(['openssl']));
  const showing = await composer.compose(request(['openssl'], { secondsToLive: 10 * 3600 }));
  assert.equal(showing.reusedId, second.id);
  await context.database.kysely
    .updateTable('composes')
    .set({ time_to_expire: new Date(composer.now.getTime() + HOUR) })
    .where('id', '=', second.id)
    .execute();
  composer.now = new Date(composer.now.getTime() + 2 * HOUR);
  await retireComposes(context);
  const removed = await composer.find(first.id);
  assert.equal(removed.state, 'removed');
  assert.equal(removed.stateReason, 'Compose is generated successfully\nCompose is expired.');
  assert.equal((await composer.find(second.id)).state, 'removed');
  assert.equal((await composer.find(showing.id)).state, 'done');
  assert.ok(!entries().includes(`odcs-${first.id}`));
  assert.ok(entries().includes(`odcs-${second.id}`));
  composer.now = new Date(composer.now.getTime() + 20 * HOUR);
  await retireComposes(context);
  assert.ok(!entries().includes(`odcs-${second.id}`));
  assert.ok(!entries().includes(`latest-odcs-${second.id}-1`));
});

test('directories nobody owns go, those of running composes and of others stay', async () => {
  const running = await composer.insert(request(['ed']));
  for (const name of [
    'odcs-99999',
    '.odcs-99998.0badcafe.building',
    '.odcs-99997.removed',
    'not-ours',
    'odcs-x',
  ]) {
    mkdirSync(join(composer.targetDir, name));
    writeFileSync(join(composer.targetDir, name, 'STATUS'), 'FINISHED\n');
  }
  mkdirSync(join(composer.targetDir, `.odcs-${running.id}.0badcafe.building`));
  await retireComposes(context);
  const left = readdirSync(composer.targetDir).filter((name) => /99|ours|odcs-x|building/.test(name));
  assert.deepEqual(left.sort(), [`.odcs-${running.id}.0badcafe.building`, 'not-ours', 'odcs-x']);
  await composer.run(running.id);
  await retireComposes(context);
  assert.ok(!readdirSync(composer.targetDir).some((name) => name.endsWith('.building')));
});

test('downloaded packages nobody links to are pruned, linked ones stay', async (test) => {
  const files = await startFileServer(source);
  test.after(() => files.close());
  const done = await composer.compose(repoRequest(files.url, ['nginx'], { flags: ['no_reuse'] }));
  assert.equal(done.state, 'done', done.stateReason ?? '');
  const list = (): string[] =>
    readdirSync(context.store.directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.rpm'))
      .map((name) => join(context.store.directory, name));
  for (const file of list()) utimesSync(file, 0, 0);
  await context.store.prune(new Date());
  const kept = list();
  assert.ok(kept.length > 0);
  assert.ok(kept.every((file) => statSync(file).nlink > 1));
});

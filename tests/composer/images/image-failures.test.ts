import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { abandonLeftImages } from '../../../src/composer/images/abandon-images.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { giveUpCompose } from '../../../src/lifecycle/give-up.ts';
import { askForDefinition, kiwiImage, openImageScene } from './image-scene.ts';

const scene = await openImageScene();
after(() => scene[Symbol.asyncDispose]());
const { composer, builders, hub, server } = scene;
beforeEach(() => hub.tables.tasks.clear());

const read = (id: number, path: string): string =>
  readFileSync(join(composer.targetDir, `odcs-${id}`, path), 'utf8');
const statesOf = async (id: number) => (await scene.tasksOf(id)).map(({ state }) => state);
/** Numbers of Koji: 0 waits, 2 has ended well, 3 is cancelled, 5 failed. */
const statesInKoji = (): number[] => builders.tasks().map(({ state }) => state);

const osbs = `- phase: osbs
  url: git://dist-git.example.org/containers/base#8da00cb1fbb1a55ff47e07bd2ae5e8cd96d58b90
  target: container-target
  git_branch: f44`;

/** Stores a compose with these images. */
async function insert(name: string, images: string): Promise<number> {
  scene.define(name, images);
  return (await composer.insert(askForDefinition(name))).id;
}

test('an arch that may fail is missing, and the compose says so', async () => {
  const id = await insert('partial', kiwiImage);
  const running = composer.run(id);
  await scene.untilTasks(1, running);
  const [task] = builders.tasks();
  builders.finish(task?.id ?? 0, { x86_64: 'P-1-1.x86_64.qcow2', aarch64: null }, 'P-1-1');
  const done = await running;
  assert.equal(done.state, 'done', done.stateReason ?? '');
  const page = `https://koji.example.org/koji/taskinfo?taskID=${task?.id}`;
  assert.deepEqual(done.warnings, [
    `There is no image kiwibuild of BaseOS for aarch64, which may fail: ${page}`,
  ]);
  assert.equal(read(id, 'STATUS'), 'FINISHED_INCOMPLETE\n');
  const { images } = JSON.parse(read(id, 'compose/metadata/images.json')).payload;
  assert.deepEqual(Object.keys(images.BaseOS), ['x86_64']);
});

test('an image that may not fail fails the compose, which leads to its task, and the others are cancelled', async () => {
  const id = await insert('failing', `${kiwiImage}\n${osbs}`);
  const running = composer.run(id);
  await scene.untilTasks(2, running);
  const [kiwi] = builders.tasks();
  builders.fail(kiwi?.id ?? 0, 'no space left');
  const failed = await running;
  assert.equal(failed.state, 'failed');
  assert.match(
    failed.stateReason ?? '',
    new RegExp(
      `kiwibuild of BaseOS \\(aarch64, x86_64\\) failed in Koji: https://koji.example.org/koji/taskinfo\\?taskID=${kiwi?.id}`,
    ),
  );
  assert.deepEqual(statesInKoji(), [5, 3]);
  assert.deepEqual(await statesOf(id), ['failed', 'cancelled']);
  assert.equal(read(id, 'STATUS'), 'DOOMED\n');
});

test('an image all of which may fail is missing, and the compose is done', async () => {
  const id = await insert('may-fail', kiwiImage.replace('[aarch64]', '["*"]'));
  const running = composer.run(id);
  await scene.untilTasks(1, running);
  builders.fail(builders.tasks()[0]?.id ?? 0, 'no space left');
  const done = await running;
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.match(done.warnings.join(), /kiwibuild of BaseOS .* failed in Koji/);
});

test('whoever cancels the compose cancels its tasks', async () => {
  const id = await insert('cancelled', `${kiwiImage}\n${osbs}`);
  const running = composer.run(id);
  await scene.untilTasks(2, running);
  await composer.context.database.kysely
    .updateTable('composes')
    .set({ cancel_requested_by: 'somebody' })
    .where('id', '=', id)
    .execute();
  const failed = await running;
  assert.equal(failed.stateReason, 'Canceled by somebody');
  assert.deepEqual(statesInKoji(), [3, 3]);
  assert.deepEqual(await statesOf(id), ['cancelled', 'cancelled']);
});

/** Makes a process die once the hub has answered a call: nothing of the answer arrives. */
async function dieOnceAnswered(id: number, method: string): Promise<void> {
  const dying = new AbortController();
  hub.onceAnswered(method, () => dying.abort(new Error('the process ends')));
  await assert.rejects(composer.run(id, { signal: dying.signal, isLast: false }));
}

async function finishOnly(id: number, running: Promise<Awaited<ReturnType<typeof composer.run>>>) {
  await scene.untilTasks(1, running);
  const [task] = builders.tasks();
  const nvr = `R-1-${id}`;
  builders.finish(task?.id ?? 0, { x86_64: `${nvr}.x86_64.qcow2`, aarch64: `${nvr}.aarch64.qcow2` }, nvr);
  const done = await running;
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.deepEqual(
    builders.tasks().map(({ id: taskId }) => taskId),
    [task?.id],
  );
  assert.deepEqual(
    (await scene.tasksOf(id)).map(({ task_id: taskId }) => taskId),
    [task?.id],
  );
}

test('a process that dies between the call and its note is followed by one that finds the task', async () => {
  const id = await insert('died-after', kiwiImage);
  await dieOnceAnswered(id, 'kiwiBuild');
  assert.deepEqual(
    (await scene.tasksOf(id)).map(({ state, task_id: taskId }) => [state, taskId]),
    [['asked', null]],
  );
  assert.equal(read(id, 'STATUS'), 'STARTED\n', 'Koji goes on reading what is shown');
  assert.deepEqual(statesInKoji(), [0], 'nobody cancelled it');
  await finishOnly(id, composer.run(id, { number: 2 }));
});

test('images of a compose that was given up are cancelled, those of one that goes on are not', async () => {
  const [givenUp, goingOn] = [await insert('given-up', kiwiImage), await insert('going-on', kiwiImage)];
  await dieOnceAnswered(givenUp, 'kiwiBuild');
  await dieOnceAnswered(goingOn, 'kiwiBuild');
  await transaction(composer.context.database, (tx) => giveUpCompose(tx, givenUp));
  await abandonLeftImages(composer.context);
  assert.deepEqual(statesInKoji(), [3, 0]);
  assert.deepEqual([await statesOf(givenUp), await statesOf(goingOn)], [['cancelled'], ['asked']]);
  await transaction(composer.context.database, (tx) => giveUpCompose(tx, goingOn));
  await abandonLeftImages(composer.context);
  assert.deepEqual(statesInKoji(), [3, 3]);
});

test('a process that dies before the call is followed by one that makes it', async () => {
  const id = await insert('died-before', kiwiImage);
  await dieOnceAnswered(id, 'getLoggedInUser');
  assert.deepEqual(await statesOf(id), ['waiting']);
  await finishOnly(id, composer.run(id, { number: 2 }));
});

test('a process that dies while Koji works is followed by one that goes on watching, and builds nothing anew', async () => {
  const id = await insert('died-watching', kiwiImage);
  const repomd = join(composer.targetDir, `odcs-${id}/compose/BaseOS/x86_64/os/repodata/repomd.xml`);
  await dieOnceAnswered(id, 'getTaskInfo');
  assert.ok(existsSync(repomd));
  const before = readFileSync(repomd, 'utf8');
  composer.now = new Date('2026-11-22T11:00:00Z');
  await finishOnly(id, composer.run(id, { number: 2 }));
  assert.equal(readFileSync(repomd, 'utf8'), before);
});

for (const trouble of [{ kind: 'reset' }, { kind: 'cut', afterBytes: 60 }] as const) {
  test(`a call whose connection breaks (${trouble.kind}) is looked for before it is made again`, async () => {
    const id = await insert(`broken-${trouble.kind}`, kiwiImage);
    hub.onceAnswered('listTasks', () => server.troubles.push(trouble));
    await finishOnly(id, composer.run(id));
  });
}

test('another compose with the same image is another task', async () => {
  const ids = [await insert('twin', kiwiImage), await insert('twin', kiwiImage)];
  const running = ids.map((id) => composer.run(id));
  await Promise.all(running.map((id) => scene.untilTasks(2, id)));
  for (const [at, { id }] of builders.tasks().entries()) {
    builders.finish(
      id,
      { x86_64: `T-1-${at}.x86_64.qcow2`, aarch64: `T-1-${at}.aarch64.qcow2` },
      `T-1-${at}`,
    );
  }
  for (const { state, stateReason } of await Promise.all(running))
    assert.equal(state, 'done', stateReason ?? '');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askForDefinition, kiwiImage, openImageScene } from './image-scene.ts';

const LIMIT = 30;

test('an image that takes Koji too long fails the compose, and its task is cancelled', async () => {
  await using scene = await openImageScene({ config: { image_task_timeout: LIMIT } });
  const { builders, composer, hub } = scene;
  scene.define('slow', kiwiImage);
  const { id } = await composer.insert(askForDefinition('slow'));
  const looked = Promise.withResolvers<void>();
  hub.onceAnswered('getTaskInfo', looked.resolve);
  const running = composer.run(id);
  await looked.promise;
  composer.now = new Date(composer.now.getTime() + (LIMIT + 1) * 1_000);
  const failed = await running;
  assert.equal(failed.state, 'failed');
  assert.match(
    failed.stateReason ?? '',
    new RegExp(`kiwibuild of BaseOS \\(aarch64, x86_64\\) takes Koji more than ${LIMIT} seconds: https://`),
  );
  // 3 is cancelled.
  assert.deepEqual(
    builders.tasks().map(({ state }) => state),
    [3],
  );
  assert.deepEqual(
    (await scene.tasksOf(id)).map(({ state }) => state),
    ['failed'],
  );
});

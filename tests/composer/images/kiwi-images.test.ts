import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { askForDefinition, kiwiImage, openImageScene } from './image-scene.ts';

const scene = await openImageScene();
after(() => scene[Symbol.asyncDispose]());
const { composer, builders } = scene;

const read = (id: number, path: string): string =>
  readFileSync(join(composer.targetDir, `odcs-${id}`, path), 'utf8');

test('Koji makes an image of the finished repositories of a compose that is shown and not done', async () => {
  scene.define('eln', kiwiImage);
  const { id } = await composer.insert(askForDefinition('eln'));
  const running = composer.run(id);
  await scene.untilTasks(1, running);
  const [task] = builders.tasks();
  assert.equal(task?.method, 'kiwiBuild');
  assert.equal(task.owner, 'odcs');
  const url = `http://odcs.example.com/composes/odcs-${id}/compose/BaseOS/$arch/os`;
  assert.deepEqual(task.request, [
    'f44-kiwi',
    'aarch64 x86_64',
    'git+https://pagure.io/fedora-kiwi-descriptions.git#8da00cb1fbb1a55ff47e07bd2ae5e8cd96d58b90',
    'Fedora.kiwi',
    {
      optional_arches: 'aarch64',
      profile: 'Cloud-Base-Generic',
      scratch: false,
      release: `20261122.t.${id}`,
      repos: [url],
      make_prep: false,
    },
  ]);
  const meanwhile = await composer.find(id);
  assert.equal(meanwhile.state, 'generating');
  assert.equal(read(id, 'STATUS'), 'STARTED\n');
  assert.ok(existsSync(join(composer.targetDir, `odcs-${id}/compose/BaseOS/x86_64/os/repodata/repomd.xml`)));
  builders.finish(
    task.id,
    { x86_64: 'Cloud-1-1.x86_64.qcow2', aarch64: 'Cloud-1-1.aarch64.qcow2' },
    'Cloud-1-1',
  );
  const done = await running;
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.deepEqual(done.warnings, []);
  assert.equal(read(id, 'STATUS'), 'FINISHED\n');
  const { images, compose } = JSON.parse(read(id, 'compose/metadata/images.json')).payload;
  assert.equal(compose.id, done.pungiComposeId);
  assert.deepEqual(Object.keys(images.BaseOS), ['aarch64', 'x86_64']);
  const [image] = images.BaseOS.x86_64;
  assert.equal(image.path, 'BaseOS/x86_64/images/Cloud-1-1.x86_64.qcow2');
  assert.deepEqual(
    [image.type, image.format, image.arch, image.subvariant, image.bootable],
    ['qcow2', 'qcow2', 'x86_64', 'BaseOS', false],
  );
  const content = read(id, `compose/${image.path}`);
  assert.equal(image.size, content.length);
  assert.deepEqual(Object.keys(image.checksums), ['md5', 'sha1', 'sha256']);
  assert.match(read(id, 'compose/BaseOS/x86_64/images/SHA256SUM'), new RegExp(image.checksums.sha256));
  assert.deepEqual(
    (await scene.tasksOf(id)).map(({ state, task_id: taskId }) => [state, taskId]),
    [['done', task.id]],
  );
});

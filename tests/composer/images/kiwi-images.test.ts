import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openComposeFiles } from '../../../src/composer/verify/compose-files.ts';
import { verifyCompose } from '../../../src/composer/verify/verify-compose.ts';
import { readProvenance } from '../../../src/composer/provenance.ts';
import { metadataKeySettings } from '../../../src/metadata-key-settings.ts';
import { makeTestKey } from '../signing/test-keys.ts';
import { askForDefinition, kiwiImage, openImageScene, type ImageScene } from './image-scene.ts';

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

/** Makes a compose with an image in a scene, and does something while Koji works on it. Returns its directory. */
async function makeWithImage(
  { composer: of, builders: koji, define, untilTasks }: ImageScene,
  meanwhile: () => void = () => undefined,
): Promise<string> {
  define('named', kiwiImage);
  const { id } = await of.insert(askForDefinition('named'));
  const before = koji.tasks().length;
  const running = of.run(id);
  await untilTasks(before + 1, running);
  meanwhile();
  const nvr = `Named-1-${id}`;
  const files = { x86_64: `${nvr}.x86_64.qcow2`, aarch64: `${nvr}.aarch64.qcow2` };
  koji.finish(koji.tasks()[before]?.id ?? 0, files, nvr);
  const done = await running;
  assert.equal(done.state, 'done', done.stateReason ?? '');
  return join(of.targetDir, `odcs-${id}`);
}

async function verify(directory: string) {
  const { signal } = new AbortController();
  using files = await openComposeFiles(directory, signal);
  const options = { publicKey: null, isUnsignedFine: true, isReadingPackages: true, signal };
  return verifyCompose(files, options);
}

const image = /^compose\/BaseOS\/(?:x86_64|aarch64)\/images\/Named-.*\.qcow2$/;

test('the provenance names the images and what lists them, signed anew where it is signed', async (context) => {
  const folder = mkdtempSync('/tmp/odcs-images-key-');
  const key = makeTestKey(folder, 'main');
  const unsigned = composer.context.metadataKeys;
  context.after(() => {
    Object.assign(composer.context, { metadataKeys: unsigned });
    key.end();
    rmSync(folder, { recursive: true, force: true });
  });
  const settings = { fingerprint: key.fingerprint, public_key: key.publicKey, gpg_home: key.home };
  const metadataKeys = {
    ...unsigned,
    metadata_keys: metadataKeySettings.metadata_keys.schema.parse({ main: settings }),
    metadata_key: 'main',
  };
  for (const keys of [unsigned, metadataKeys]) {
    Object.assign(composer.context, { metadataKeys: keys });
    const directory = await makeWithImage(scene);
    const path = join(directory, 'compose/metadata/provenance.json');
    const { subjects } = readProvenance(readFileSync(path, 'utf8'), path);
    const named = subjects.map(({ name }) => name);
    assert.equal(named.filter((name) => image.test(name)).length, 2);
    assert.equal(named.filter((name) => name === 'compose/metadata/images.json').length, 1);
    const { problems, signedBy } = await verify(directory);
    assert.deepEqual(problems, []);
    assert.equal(signedBy, keys === unsigned ? null : key.fingerprint);
    const changed = named.find((name) => image.test(name)) ?? '';
    rmSync(join(directory, changed));
    writeFileSync(join(directory, changed), 'another image');
    const found = await verify(directory);
    assert.deepEqual(
      found.problems.map(({ path: at, kind }) => [at, kind]),
      [[changed, 'digest']],
    );
  }
  // The settings name another key before the images have ended: nothing is signed by it that the first one vouches for.
  Object.assign(composer.context, { metadataKeys });
  const directory = await makeWithImage(scene, () =>
    Object.assign(composer.context, { metadataKeys: unsigned }),
  );
  const path = join(directory, 'compose/metadata/provenance.json');
  const { subjects } = readProvenance(readFileSync(path, 'utf8'), path);
  assert.deepEqual(
    subjects.filter(({ name }) => image.test(name)),
    [],
  );
  assert.equal((await verify(directory)).signedBy, key.fingerprint);
});

test('images are taken from a URL where the profile names no directory', async () => {
  await using byUrl = await openImageScene({ isByUrl: true });
  const directory = await makeWithImage(byUrl);
  const { images } = JSON.parse(
    readFileSync(join(directory, 'compose/metadata/images.json'), 'utf8'),
  ).payload;
  const [{ path }] = images.BaseOS.x86_64;
  assert.match(readFileSync(join(directory, 'compose', path), 'utf8'), /^the image Named-/);
});

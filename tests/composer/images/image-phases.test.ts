import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readDefinitionFile } from '../../../src/composer/main/read-definition-file.ts';
import { askForDefinition, openImageScene } from './image-scene.ts';

// Runs once: what is told to Koji and taken from it is decided by no database.

const sources = mkdtempSync(join(tmpdir(), 'container-sources-'));
after(() => rmSync(sources, { recursive: true, force: true }));
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
    cwd: sources,
    encoding: 'utf8',
  }).trim();
git('init', '--quiet', '--initial-branch=main');
git('commit', '--quiet', '--allow-empty', '-m', 'one');
const commit = git('rev-parse', 'HEAD');
const scene = await openImageScene({ isOldHub: true, config: { git_allowed_urls: [sources] } });
after(() => scene[Symbol.asyncDispose]());
const { composer, builders } = scene;
const shown = 'http://odcs.example.com/composes';

const read = (id: number, path: string): string =>
  readFileSync(join(composer.targetDir, `odcs-${id}`, path), 'utf8');

test('each phase asks Koji as Pungi does, and a container takes the image that it describes', async () => {
  scene.define(
    'all',
    `- phase: image_container
  url: ${sources}#origin/main
  target: guest-target
  git_branch: main
  scratch: false
  image_spec: { format: qcow2, type: "qc.*" }
- phase: osbs
  url: git://dist-git.example.org/containers/base#8da00cb1fbb1a55ff47e07bd2ae5e8cd96d58b90
  target: container-target
  git_branch: f44
  priority: 3
  repo: ["https://example.org/$COMPOSE_ID.repo"]
  gpgkey: https://example.org/key
- phase: osbuild
  name: Product-IoT
  distro: fedora-44
  image_types: [iot-commit]
  target: osbuild-target
  arches: [x86_64]
  ostree_url: https://ostree.example.org
  repo: [{ baseurl: "https://example.org/$arch/extra", package_sets: [build] }]
- phase: imagebuilder
  name: Product-Minimal
  types: [minimal-raw]
  target: image-target
  arches: [x86_64]
  version: "!VERSION_FROM_VERSION_DATE_RESPIN"
  release: "!RELEASE_FROM_DATE_RESPIN"
  repos: [https://example.org/$arch/extra]
  seed: 7
  subvariant: Minimal`,
  );
  const { id } = await composer.insert(askForDefinition('all', { label: 'Beta-1.2' }));
  const running = composer.run(id);
  await scene.untilTasks(3, running);
  const own = `${shown}/odcs-${id}/compose/BaseOS/$arch/os`;
  const [imageBuilder, osbuild, osbs] = builders.tasks();
  assert.ok(imageBuilder && osbuild && osbs);
  assert.deepEqual(
    [imageBuilder.method, imageBuilder.request],
    [
      'imageBuilderBuild',
      [
        'image-target',
        ['x86_64'],
        ['minimal-raw'],
        'Product-Minimal',
        `1.20261122.${id}`,
        { repos: ['https://example.org/$arch/extra', own], release: `20261122.${id}`, seed: 7 },
      ],
    ],
  );
  assert.deepEqual(
    [osbuild.method, osbuild.request],
    [
      'osbuildImage',
      [
        'Product-IoT',
        '1_Beta',
        'fedora-44',
        ['iot-commit'],
        'osbuild-target',
        ['x86_64'],
        {
          repo: [{ baseurl: 'https://example.org/$arch/extra', package_sets: ['build'] }, own],
          ostree: { url: 'https://ostree.example.org' },
        },
      ],
    ],
  );
  const file = `work/images/osbs-2-BaseOS.repo`;
  const { pungiComposeId } = await composer.find(id);
  assert.deepEqual(
    [osbs.method, osbs.request],
    [
      'buildContainer',
      [
        'git://dist-git.example.org/containers/base#8da00cb1fbb1a55ff47e07bd2ae5e8cd96d58b90',
        'container-target',
        {
          git_branch: 'f44',
          yum_repourls: [`${shown}/odcs-${id}/${file}`, `https://example.org/${pungiComposeId}.repo`],
        },
      ],
    ],
  );
  assert.match(
    read(id, file),
    new RegExp(`baseurl=${shown}/odcs-${id}/compose/BaseOS/\\$basearch/os\n.*gpgcheck=1\n`, 's'),
  );
  builders.finish(imageBuilder.id, { x86_64: 'Minimal-1-1.x86_64.raw.xz' }, 'Minimal-1-1');
  const archive = (filename: string, type: string, arch = 'x86_64') => ({
    id: 1,
    btype: 'image',
    type_name: type,
    filename,
    size: 7,
    checksum: 'abc',
    extra: { image: { arch } },
  });
  builders.finishBuild(
    osbuild.id,
    'Product-IoT-1-1',
    [archive('iot-1-1.qcow2', 'qcow2'), archive('manifest.json', 'json')],
    (build) => ({ koji: { build } }),
  );
  builders.finishBuild(osbs.id, 'base-container-1-1', [archive('base.tar.gz', 'docker-image')], (build) => ({
    koji_builds: [String(build)],
    repositories: [],
  }));
  await scene.untilTasks(4, running);
  const container = builders.tasks().at(-1);
  assert.deepEqual(container?.request, [
    `${sources}#${commit}`,
    'guest-target',
    {
      git_branch: 'main',
      scratch: false,
      yum_repourls: [`${shown}/odcs-${id}/work/images/image_container-3-image.repo`],
    },
  ]);
  assert.match(
    read(id, 'work/images/image_container-3-image.repo'),
    /^baseurl=.*\/compose\/BaseOS\/\$basearch\/images\/iot-1-1\.qcow2$/m,
  );
  builders.finishBuild(
    container.id,
    'guest-container-1-1',
    [archive('guest.tar.gz', 'docker-image')],
    (build) => ({
      koji_builds: [String(build)],
    }),
  );
  const done = await running;
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.deepEqual(done.warnings, [`Images are described by ${sources}#${commit}.`]);
  const { images } = JSON.parse(read(id, 'compose/metadata/images.json')).payload;
  assert.deepEqual(
    images.BaseOS.x86_64.map((image: Record<string, unknown>) => [
      image['path'],
      image['type'],
      image['subvariant'],
    ]),
    [
      ['BaseOS/x86_64/images/Minimal-1-1.x86_64.raw.xz', 'raw-xz', 'Minimal'],
      ['BaseOS/x86_64/images/iot-1-1.qcow2', 'qcow2', 'BaseOS'],
    ],
  );
  const containers = JSON.parse(read(id, 'compose/metadata/osbs.json')).BaseOS.x86_64;
  assert.deepEqual(
    containers.map((image: Record<string, unknown>) => [
      image['nvr'],
      image['koji_task'],
      image['compose_id'],
    ]),
    [
      ['base-container-1-1', osbs.id, done.pungiComposeId],
      ['guest-container-1-1', container.id, done.pungiComposeId],
    ],
  );
});

test('an image that lacks what Koji needs, or names what is not there, is told with its line', () => {
  scene.define(
    'wrong',
    `- phase: kiwibuild
  kiwi_profile: Cloud
  arches: [s390x]
  failable: ["*"]
  repos: [BaseSO, "https://example.org/x"]`,
  );
  const text = readFileSync(join(scene.definitions, 'wrong.yaml'), 'utf8');
  const told = (written: string): string[] => {
    const reading = readDefinitionFile('wrong.yaml', written, { read: () => null, list: () => [] });
    return reading.ok ? [] : reading.problems.map(({ line, message }) => `${line}: ${message}`);
  };
  assert.deepEqual(told(text), [
    '14: The variant has no arch "s390x".',
    '16: There is no variant "BaseSO"; did you mean "BaseOS"?',
    '12: The image kiwibuild of BaseOS lacks target, description_scm, description_path.',
  ]);
  assert.match(told(text.replace('kiwi_profile', 'kiwi_profil')).join('\n'), /"kiwi_profil".*"kiwi_profile"/);
  assert.match(told(text.replace('phase: kiwibuild', 'phase: live_images')).join('\n'), /phase/);
});

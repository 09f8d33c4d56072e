import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createApp } from '../../../src/api/app.ts';
import { ReadableFiles } from '../../../src/api/readable-files.ts';
import { readableDatabase } from '../../../src/database/readable.ts';
import { openTestApi } from '../../api/open-test-api.ts';
import { defaultRequest } from '../../default-request.ts';
import { openImageScene } from './image-scene.ts';

const configurations = mkdtempSync(join(tmpdir(), 'image-configurations-'));
const scene = await openImageScene({
  config: { raw_config_urls: { images: { url: configurations, config_filename: 'product.conf' } } },
});
const api = await openTestApi();
after(async () => {
  await api[Symbol.asyncDispose]();
  await scene[Symbol.asyncDispose]();
  rmSync(configurations, { recursive: true });
});
const { composer, builders } = scene;

const variants = `<variants>
<variant id="BaseOS" name="BaseOS" type="variant"><arches><arch>aarch64</arch><arch>x86_64</arch></arches></variant>
</variants>
`;

/** Commits a Pungi configuration with an image of kiwi; returns the hash. */
function commitConfiguration(): string {
  const repositories = ['aarch64', 'x86_64'].map((arch) => `"${arch}": ["file://${scene.repository}"]`);
  writeFileSync(join(configurations, 'variants.xml'), variants);
  writeFileSync(
    join(configurations, 'product.conf'),
    `release_name = "Product"
release_short = "Product"
release_version = "1"
variants_file = "variants.xml"
pkgset_source = "repos"
pkgset_repos = {${repositories.join(', ')}}
gather_method = "deps"
check_deps = False
additional_packages = [("^BaseOS$", {"*": ["*"]})]
skip_phases = ["createiso", "repoclosure"]
kiwibuild = {"^BaseOS$": [{"kiwi_profile": "Cloud-Base-Generic", "failable": ["aarch64"]}]}
kiwibuild_description_scm = "git+https://example.org/kiwi.git#8da00cb1fbb1a55ff47e07bd2ae5e8cd96d58b90"
kiwibuild_description_path = "Fedora.kiwi"
global_target = "product-kiwi"
global_release = "!RELEASE_FROM_DATE_RESPIN"
`,
  );
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: configurations,
      encoding: 'utf8',
    }).trim();
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '-m', 'one');
  return git('rev-parse', 'HEAD');
}

async function readPage(id: number): Promise<string> {
  const { database } = composer.context;
  const app = createApp({
    ...api.context,
    database,
    readable: new ReadableFiles({
      kysely: readableDatabase(database).kysely,
      targetDir: composer.targetDir,
    }),
  });
  const response = await app.request(
    `http://odcs.example.com/console/composes/${id}`,
    {},
    { incoming: { socket: { remoteAddress: '127.0.0.1' } } },
  );
  assert.equal(response.status, 200);
  const page = await response.text();
  return page.slice(page.indexOf('id="deliverables"'));
}

test('a Pungi configuration with an image ends in images.json and in a deliverable of the page', async () => {
  const commit = commitConfiguration();
  const { id } = await composer.insert({
    ...defaultRequest,
    sourceType: 'raw_config',
    source: [`images#${commit}`],
  });
  const running = composer.run(id);
  await scene.untilTasks(1, running);
  const [task] = builders.tasks();
  assert.equal(task?.method, 'kiwiBuild');
  assert.deepEqual(task.request.slice(0, 2), ['product-kiwi', 'aarch64 x86_64']);
  await scene.untilRunning(id);
  assert.match(await readPage(id), />running</);

  builders.finish(task.id, { x86_64: 'Cloud-1-1.x86_64.qcow2', aarch64: null }, 'Cloud-1-1');
  const done = await running;
  assert.equal(done.state, 'done', done.stateReason ?? '');
  const listed = join(composer.targetDir, `odcs-${id}/compose/metadata/images.json`);
  const { images } = JSON.parse(readFileSync(listed, 'utf8')).payload;
  assert.deepEqual(
    images.BaseOS.x86_64.map(({ path }: { path: string }) => path),
    ['BaseOS/x86_64/images/Cloud-1-1.x86_64.qcow2'],
  );
  const page = await readPage(id);
  assert.match(page, />done</);
  assert.match(page, new RegExp(`https://koji\\.example\\.org/koji/taskinfo\\?taskID=${task.id}`));
});

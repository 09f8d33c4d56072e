import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { openRepository } from '../../src/rpm/repodata/read-repository.ts';
import { openTestComposer, repoRequest, type TestComposer } from './open-test-composer.ts';

async function open(overrides: Parameters<typeof openTestComposer>[0]): Promise<TestComposer> {
  const composer = await openTestComposer(overrides);
  after(() => composer[Symbol.asyncDispose]());
  return composer;
}

async function demoRepository(composer: TestComposer, name = 'repository'): Promise<string> {
  const repository = createDemoRepository(join(composer.folder, name));
  await repository.add('base', composer.now);
  return repository.directory;
}

function treeOf(composer: TestComposer, id: number, arch = 'x86_64'): string {
  return join(composer.targetDir, `odcs-${id}/compose/Temporary/${arch}/os`);
}

test('delivery copy places files that share nothing with the repository', async () => {
  const composer = await open({ delivery: 'copy' });
  const source = await demoRepository(composer);
  const done = await composer.compose(repoRequest(source, ['ed']));
  assert.equal(done.state, 'done', done.stateReason ?? '');
  const placed = statSync(join(treeOf(composer, done.id), 'Packages/e/ed-1.20.2-1.x86_64.rpm'));
  const origin = statSync(join(source, 'Packages/ed-1.20.2-1.x86_64.rpm'));
  assert.notEqual(placed.ino, origin.ino);
  assert.equal(placed.size, origin.size);
});

test('delivery link shares the files of the repository', async () => {
  const composer = await open({ delivery: 'link' });
  const source = await demoRepository(composer);
  const done = await composer.compose(repoRequest(source, ['ed']));
  const placed = statSync(join(treeOf(composer, done.id), 'Packages/e/ed-1.20.2-1.x86_64.rpm'));
  assert.equal(placed.ino, statSync(join(source, 'Packages/ed-1.20.2-1.x86_64.rpm')).ino);
});

test('delivery reference moves no file and repodata points to where they are', async () => {
  const composer = await open({ delivery: 'reference' });
  const source = await demoRepository(composer);
  const done = await composer.compose(repoRequest(source, ['ed']));
  assert.equal(done.state, 'done', done.stateReason ?? '');
  const tree = treeOf(composer, done.id);
  assert.deepEqual(readdirSync(join(tree, 'Packages')), []);
  const primary = (await (await openRepository({}, tree)).readRecord('primary')).toString('utf8');
  assert.match(primary, new RegExp(`xml:base="file://${source}/Packages/" href="ed-1.20.2-1.x86_64.rpm"`));
});

test('gzip repodata is what old readers are given', async () => {
  const composer = await open({ repodata_compression: 'gzip' });
  const source = await demoRepository(composer);
  const done = await composer.compose(repoRequest(source, ['ed']));
  const names = readdirSync(join(treeOf(composer, done.id), 'repodata'));
  assert.ok(names.some((name) => name.endsWith('-primary.xml.gz')));
  assert.ok(!names.some((name) => name.endsWith('.zst')));
});

test('$basearch in a repository stands for each arch of the request', async () => {
  const composer = await open({});
  const source = await demoRepository(composer);
  const both = join(composer.folder, 'by-arch');
  mkdirSync(both);
  for (const arch of ['x86_64', 'ppc64le']) cpSync(source, join(both, arch), { recursive: true });
  const request = repoRequest(join(both, '$basearch'), ['nginx-filesystem'], {
    arches: ['x86_64', 'ppc64le'],
  });
  const done = await composer.compose(request);
  assert.equal(done.state, 'done', done.stateReason ?? '');
  for (const arch of ['x86_64', 'ppc64le']) {
    const path = join(treeOf(composer, done.id, arch), 'Packages/n/nginx-filesystem-1.26.2-1.noarch.rpm');
    assert.ok(existsSync(path), path);
  }
  assert.match(
    readFileSync(join(composer.targetDir, `odcs-${done.id}/compose/Temporary/odcs-${done.id}.repo`), 'utf8'),
    /^baseurl=http:\/\/odcs\.example\.com\/composes\/odcs-\d+\/compose\/Temporary\/\$basearch\/os$/m,
  );
});

test('what a lookaside repository has is used and not shipped', async () => {
  const composer = await open({});
  const source = await demoRepository(composer);
  const lookaside = await demoRepository(composer, 'lookaside');
  const alone = await composer.compose(repoRequest(source, ['ed']));
  assert.ok(existsSync(join(treeOf(composer, alone.id), 'Packages/e/ed-1.20.2-1.x86_64.rpm')));
  const failed = await composer.compose(repoRequest(source, ['ed'], { lookasideRepos: [lookaside] }));
  assert.equal(failed.state, 'failed');
  assert.match(failed.stateReason ?? '', /not present in the generated compose: ed\..*lookaside/);
});

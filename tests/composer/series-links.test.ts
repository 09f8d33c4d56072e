import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { retireComposes } from '../../src/composer/retire.ts';
import { mendSeriesLinks } from '../../src/composer/series-links.ts';
import { findSeries, noteKeep } from '../../src/database/series.ts';
import { transaction } from '../../src/database/transaction.ts';
import { markForRemoval } from '../../src/lifecycle/cancel-compose.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';

const composer = await openTestComposer();
const { context } = composer;
const { kysely } = context.database;
after(() => composer[Symbol.asyncDispose]());

const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);

const pathOf = (...names: string[]): string => join(composer.targetDir, 'series', ...names);
const linkOf = (series: string): string => readlinkSync(pathOf(series, 'latest'));
const pass = (seconds: number): void => {
  composer.now = new Date(composer.now.getTime() + seconds * 1000);
};

test('the link of a series moves with each compose that is made, and its .repo files keep their addresses', async () => {
  const first = await composer.compose(repoRequest(repository.directory, ['ed']), { series: 'moving' });
  assert.equal(linkOf('moving'), `../../odcs-${first.id}`);
  const repoFile = readFileSync(pathOf('moving', 'latest.repo'), 'utf8');
  assert.match(
    repoFile,
    /^baseurl=http:\/\/odcs\.example\.com\/composes\/series\/moving\/latest\/compose\/Temporary\/\$basearch\/os$/m,
  );
  assert.match(repoFile, /\[odcs-moving-source\][^[]*enabled=0/);
  assert.match(
    readFileSync(pathOf('moving', 'latest-with-sources.repo'), 'utf8'),
    /\[odcs-moving-source\][^[]*enabled=1/,
  );
  const second = await composer.compose(repoRequest(repository.directory, ['bash']), { series: 'moving' });
  assert.equal(linkOf('moving'), `../../odcs-${second.id}`);
  assert.equal(readFileSync(pathOf('moving', 'latest.repo'), 'utf8'), repoFile);
  assert.deepEqual(readdirSync(pathOf('moving')).sort(), [
    'latest',
    'latest-with-sources.repo',
    'latest.repo',
  ]);
  assert.equal((await findSeries(kysely, 'moving'))?.owner, 'tester');
});

test('a compose that shows the directory of another points its series there', async () => {
  const request = repoRequest(repository.directory, ['curl']);
  const shown = await composer.compose(request);
  const reusing = await composer.compose(request, { series: 'reusing' });
  assert.equal(reusing.reusedId, shown.id);
  assert.equal(linkOf('reusing'), `../../odcs-${shown.id}`);
});

test('a compose that fails moves nothing, and one that ends late does not move the link back', async () => {
  const late = await composer.insert(repoRequest(repository.directory, ['ed', 'curl']), { series: 'order' });
  const newer = await composer.compose(repoRequest(repository.directory, ['ed', 'bash']), {
    series: 'order',
  });
  assert.equal((await composer.run(late.id)).state, 'done');
  assert.equal(linkOf('order'), `../../odcs-${newer.id}`);
  const failed = await composer.compose(repoRequest(repository.directory, ['nothing-of-this-name']), {
    series: 'order',
  });
  assert.equal(failed.state, 'failed');
  assert.equal(linkOf('order'), `../../odcs-${newer.id}`);
});

test('nothing is written through a link that was put in the place of a series', async () => {
  const outside = join(composer.folder, 'outside');
  rmSync(outside, { recursive: true, force: true });
  symlinkSync(composer.folder, pathOf('trap'));
  const compose = await composer.compose(repoRequest(repository.directory, ['nginx']), { series: 'trap' });
  assert.equal(compose.state, 'failed');
  assert.ok(!existsSync(join(composer.folder, 'latest')));
  rmSync(pathOf('trap'));
});

test('a link that a crash or a hand left wrong is mended', async () => {
  const { id } = await composer.compose(repoRequest(repository.directory, ['openssl']), { series: 'mended' });
  rmSync(pathOf('mended'), { recursive: true });
  await mendSeriesLinks(context);
  assert.equal(linkOf('mended'), `../../odcs-${id}`);
  rmSync(pathOf('mended', 'latest'));
  symlinkSync('../../odcs-999999', pathOf('mended', 'latest'));
  await mendSeriesLinks(context);
  assert.equal(linkOf('mended'), `../../odcs-${id}`);
});

test('links below a target directory of another service are left alone', async () => {
  await composer.compose(repoRequest(repository.directory, ['bash', 'curl']), { series: 'foreign' });
  rmSync(pathOf('foreign', 'latest'));
  symlinkSync('../../odcs-of-others', pathOf('foreign', 'latest'));
  const storage = { trouble: async () => null, isOurs: async () => false };
  await mendSeriesLinks({ ...context, storage });
  assert.equal(linkOf('foreign'), '../../odcs-of-others');
  await mendSeriesLinks(context);
});

test('the link goes back where the newest compose is removed, and goes with the last one', async () => {
  const first = await composer.compose(repoRequest(repository.directory, ['ed', 'openssl']), {
    series: 'ending',
  });
  const second = await composer.compose(repoRequest(repository.directory, ['bash', 'openssl']), {
    series: 'ending',
  });
  await transaction(context.database, (tx) => markForRemoval(tx, second.id, 'somebody'));
  pass(1);
  await retireComposes(context);
  assert.equal((await composer.find(second.id)).state, 'removed');
  assert.equal(linkOf('ending'), `../../odcs-${first.id}`);
  pass(86_400 * 2);
  await retireComposes(context);
  assert.equal((await composer.find(first.id)).state, 'removed');
  assert.ok(!existsSync(pathOf('ending')));
});

test('composes that a series keeps outlive their time, the others do not', async () => {
  const ids: number[] = [];
  for (const names of [['ed'], ['bash'], ['curl']]) {
    const flags = ['no_reuse'] as const;
    const made = await composer.compose(repoRequest(repository.directory, names, { flags }), {
      series: 'kept',
    });
    ids.push(made.id);
    pass(60);
  }
  await noteKeep(kysely, 'kept', { last: 2, dailyMs: null, weeklyMs: null });
  pass(86_400 * 30);
  await retireComposes(context);
  const states = await Promise.all(ids.map(async (id) => (await composer.find(id)).state));
  assert.deepEqual(states, ['removed', 'done', 'done']);
  assert.equal(linkOf('kept'), `../../odcs-${ids[2]}`);
  assert.ok((await composer.find(ids[1] ?? 0)).timeToExpire > composer.now);

  await transaction(context.database, (tx) => markForRemoval(tx, ids[1] ?? 0, 'somebody'));
  await noteKeep(kysely, 'kept', null);
  pass(1);
  await retireComposes(context);
  assert.equal((await composer.find(ids[1] ?? 0)).state, 'removed');
  pass(86_400);
  await retireComposes(context);
  assert.equal((await composer.find(ids[2] ?? 0)).state, 'removed');
});

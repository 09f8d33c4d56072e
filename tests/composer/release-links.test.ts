import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, rmdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../src/commands/demo/demo-files.ts';
import { mendReleaseLinks, moveReleaseLinks } from '../../src/composer/release-links.ts';
import { retireComposes } from '../../src/composer/retire.ts';
import type { OpenableSource } from '../../src/composer/open-sources.ts';
import { openRepoSource } from '../../src/composer/sources/repo/repo-source.ts';
import { transaction } from '../../src/database/transaction.ts';
import { markForRemoval } from '../../src/lifecycle/cancel-compose.ts';
import { beginCompose, moveHeldCompose } from '../../src/lifecycle/move-compose.ts';
import type { ComposeRequest } from '../../src/model/compose.ts';
import { openTestComposer, repoRequest } from './open-test-composer.ts';

/** Composes of repositories, as of the release that the request calls with `respinOf`. */
const ofRelease: OpenableSource = {
  type: 'repo',
  open: async (context) => {
    const select = openRepoSource(context);
    return async (selecting, request) => {
      const { selection, reader } = await select(selecting, request);
      const [short = '', version = ''] = (request.respinOf ?? '').split(' ');
      const baseProduct = null;
      const release = { name: short, short, version, type: 'ga', isInternal: false, baseProduct };
      return { reader, selection: { ...selection, release: { ...release, treeinfoVersion: null } } };
    };
  },
};

const composer = await openTestComposer({}, [ofRelease]);
const { context, targetDir } = composer;
after(() => composer[Symbol.asyncDispose]());
const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);

const DAY = 86_400_000;
const linkOf = (path: string): string => readlinkSync(join(targetDir, path));
const requestOf = (
  release: string,
  packages: readonly string[],
  more: Partial<ComposeRequest> = {},
): ComposeRequest => repoRequest(repository.directory, packages, { respinOf: release, ...more });

test('a compose of a release has links by its id, as the latest, and as the latest of its label', async () => {
  const first = await composer.compose(requestOf('Made 1.2', ['ed'], { composeType: 'nightly' }));
  assert.equal(first.pungiComposeId, `Made-1.2-20261122.n.${first.id}`);
  assert.equal(linkOf(`nightly/${first.pungiComposeId}`), `../odcs-${first.id}`);
  assert.equal(linkOf('nightly/latest-Made-1.2'), `../odcs-${first.id}`);
  assert.ok(existsSync(join(targetDir, 'nightly/latest-Made-1.2/COMPOSE_ID')));
  const labelled = await composer.compose(
    requestOf('Made 1.2', ['ed'], { composeType: 'nightly', label: 'RC-1.0' }),
  );
  const plain = await composer.compose(requestOf('Made 1.2', ['bash'], { composeType: 'nightly' }));
  assert.equal(linkOf('nightly/latest-Made-1.2-RC-1.0'), `../odcs-${labelled.id}`);
  assert.equal(linkOf('nightly/latest-Made-1.2'), `../odcs-${plain.id}`);
  assert.deepEqual(
    readdirSync(join(targetDir, 'nightly')).filter((name) => name.startsWith('.')),
    [],
  );
});

test('a compose whose release can be no file name has no link', async () => {
  const linked = () => readdirSync(targetDir).filter((name) => !/^\.|^latest-odcs-|^odcs-/.test(name));
  const before = linked();
  const unfit = await composer.compose(requestOf('a/b 1', ['ed'], { composeType: 'production' }));
  assert.equal(unfit.state, 'done', unfit.stateReason ?? '');
  assert.deepEqual(linked(), before);
});

test('another type or label is another compose, since its metadata say so', async () => {
  const asTest = await composer.compose(requestOf('Typed 1', ['ed']));
  const asNightly = await composer.compose(requestOf('Typed 1', ['ed'], { composeType: 'nightly' }));
  const labelled = await composer.compose(requestOf('Typed 1', ['ed'], { label: 'RC-2.0' }));
  const again = await composer.compose(requestOf('Typed 1', ['ed'], { label: 'RC-2.0' }));
  assert.deepEqual(
    [asTest, asNightly, labelled, again].map(({ reusedId }) => reusedId),
    [null, null, null, labelled.id],
  );
  assert.equal(linkOf('test/latest-Typed-1'), `../odcs-${labelled.id}`);
  assert.equal(linkOf('nightly/latest-Typed-1'), `../odcs-${asNightly.id}`);
});

test('a compose that ends after a later one does not move the link back', async () => {
  const late = await composer.insert(requestOf('Order 1', ['ed', 'curl']));
  const newer = await composer.compose(requestOf('Order 1', ['ed', 'bash']));
  assert.equal((await composer.run(late.id)).state, 'done');
  assert.equal(linkOf('test/latest-Order-1'), `../odcs-${newer.id}`);
  assert.equal(linkOf(`test/Order-1-20261122.t.${late.id}`), `../odcs-${late.id}`);
});

test('of two composes that end at once the later one stays the latest, whichever ends last', async () => {
  for (const [at, order] of [
    [0, 1],
    [1, 0],
  ].entries()) {
    const held = await Promise.all(
      ['ed', 'bash'].map(async (name) => {
        const { id } = await composer.insert(requestOf(`Race ${at}`, [name]));
        return transaction(context.database, async (tx) => {
          const taken = await beginCompose(tx, id);
          assert.ok(taken);
          const pinned = {
            pungiComposeId: `Race-${at}-20261122.t.${id}`,
            latestLink: `test/latest-Race-${at}`,
          };
          await moveHeldCompose(tx, taken, 'pin', { reason: null, pinned });
          return taken;
        });
      }),
    );
    const opened = Promise.withResolvers<void>();
    const isLinked = Promise.withResolvers<void>();
    const end = (which: number, during: () => Promise<void>): Promise<void> => {
      const ending = held[order[which] ?? 0];
      assert.ok(ending);
      return transaction(context.database, async (tx) => {
        await moveHeldCompose(tx, ending, 'publish', { reason: null });
        await moveReleaseLinks(context, tx, ending.compose);
        await during();
      });
    };
    const first = end(0, async () => {
      isLinked.resolve();
      await opened.promise;
    });
    await isLinked.promise;
    const second = end(1, async () => undefined);
    opened.resolve();
    await Promise.all([first, second]);
    const newest = Math.max(...held.map(({ id }) => id));
    assert.equal(linkOf(`test/latest-Race-${at}`), `../odcs-${newest}`);
  }
});

test('links that a crash left are mended: not moved yet, moved too early, half made', async () => {
  const shown = await composer.compose(requestOf('Crash 1', ['ed']));
  const lost = await composer.compose(requestOf('Crash 1', ['bash']));
  // Committed, but killed before the rename.
  rmSync(join(targetDir, 'test/latest-Crash-1'));
  symlinkSync(`../odcs-${shown.id}`, join(targetDir, 'test/latest-Crash-1'));
  rmSync(join(targetDir, `test/Crash-1-20261122.t.${lost.id}`));
  symlinkSync('../odcs-1', join(targetDir, 'test/.link.0badcafe'));
  await mendReleaseLinks(context);
  assert.equal(linkOf('test/latest-Crash-1'), `../odcs-${lost.id}`);
  assert.equal(linkOf(`test/Crash-1-20261122.t.${lost.id}`), `../odcs-${lost.id}`);
  assert.ok(!readdirSync(join(targetDir, 'test')).includes('.link.0badcafe'));
  // Renamed, but killed before the commit.
  const { id } = await composer.insert(requestOf('Crash 1', ['curl']));
  const killed = transaction(context.database, async (tx) => {
    const taken = await beginCompose(tx, id);
    assert.ok(taken);
    const pinned = { pungiComposeId: `Crash-1-20261122.t.${id}`, latestLink: 'test/latest-Crash-1' };
    await moveHeldCompose(tx, taken, 'pin', { reason: null, pinned });
    await moveHeldCompose(tx, taken, 'publish', { reason: null });
    await moveReleaseLinks(context, tx, taken.compose);
    throw new Error('killed');
  });
  await assert.rejects(killed, /killed/);
  assert.equal(linkOf('test/latest-Crash-1'), `../odcs-${id}`);
  await mendReleaseLinks(context);
  assert.equal(linkOf('test/latest-Crash-1'), `../odcs-${lost.id}`);
  assert.ok(!readdirSync(join(targetDir, 'test')).includes(`Crash-1-20261122.t.${id}`));
});

test('the link goes back where the latest compose is removed, and goes with the last one', async () => {
  const first = await composer.compose(requestOf('Ending 1', ['ed']));
  const second = await composer.compose(requestOf('Ending 1', ['bash']));
  await transaction(context.database, (tx) => markForRemoval(tx, second.id, 'somebody'));
  composer.now = new Date(composer.now.getTime() + 1000);
  await retireComposes(context);
  assert.equal(linkOf('test/latest-Ending-1'), `../odcs-${first.id}`);
  composer.now = new Date(composer.now.getTime() + 2 * DAY);
  await retireComposes(context, 'none');
  assert.equal((await composer.find(first.id)).state, 'removed');
  assert.deepEqual(readdirSync(join(targetDir, 'test')), []);
});

test('the latest compose of a release outlives its life until another takes its place, and then ends', async () => {
  const older = await composer.compose(requestOf('Lasting 1', ['ed']));
  const latest = await composer.compose(requestOf('Lasting 1', ['bash']));
  const reusing = await composer.compose(requestOf('Lasting 1', ['bash']));
  assert.equal(reusing.reusedId, latest.id);
  const stateOf = async ({ id }: { readonly id: number }) => (await composer.find(id)).state;
  for (let days = 0; days < 3; days += 1) {
    composer.now = new Date(composer.now.getTime() + 2 * DAY);
    await retireComposes(context);
    assert.deepEqual([await stateOf(older), await stateOf(reusing)], ['removed', 'done']);
    assert.equal(linkOf('test/latest-Lasting-1'), `../odcs-${latest.id}`);
    assert.ok(existsSync(join(targetDir, 'test/latest-Lasting-1/COMPOSE_ID')));
  }
  const next = await composer.compose(requestOf('Lasting 1', ['curl']));
  composer.now = new Date(composer.now.getTime() + 3 * 3_600_000);
  await retireComposes(context);
  assert.deepEqual(
    [await stateOf(latest), await stateOf(reusing), await stateOf(next)],
    ['removed', 'removed', 'done'],
  );
  assert.equal(linkOf('test/latest-Lasting-1'), `../odcs-${next.id}`);
  await transaction(context.database, (tx) => markForRemoval(tx, next.id, 'somebody'));
  composer.now = new Date(composer.now.getTime() + 1000);
  await retireComposes(context);
  assert.equal(await stateOf(next), 'removed');
});

test('the latest of a label is kept where the setting says so, and private composes are not', async () => {
  const rc = (version: string): Partial<ComposeRequest> => ({
    composeType: 'production',
    label: `RC-${version}`,
  });
  const first = await composer.compose(requestOf('Labelled 1', ['ed'], rc('1.0')));
  const second = await composer.compose(requestOf('Labelled 1', ['bash'], rc('2.0')));
  const hidden = await composer.compose(requestOf('Hidden 1', ['ed']), {
    readers: { users: ['x'], groups: [] },
  });
  assert.equal(hidden.state, 'done', hidden.stateReason ?? '');
  composer.now = new Date(composer.now.getTime() + 2 * DAY);
  await retireComposes(context, 'labels');
  const states = async (...ids: readonly number[]) =>
    Promise.all(ids.map(async (id) => (await composer.find(id)).state));
  assert.deepEqual(await states(first.id, second.id, hidden.id), ['done', 'done', 'removed']);
  composer.now = new Date(composer.now.getTime() + 2 * DAY);
  await retireComposes(context);
  assert.deepEqual(await states(first.id, second.id), ['removed', 'done']);
  composer.now = new Date(composer.now.getTime() + 2 * DAY);
  await retireComposes(context, 'none');
  assert.deepEqual(await states(second.id), ['removed']);
});

test('a compose that waits to show the directory of another is linked with it', async () => {
  const request = requestOf('Shared 1', ['ed']);
  const shown = await composer.compose(request);
  const reusing = await composer.compose(request);
  assert.equal(reusing.reusedId, shown.id);
  assert.equal(linkOf('test/latest-Shared-1'), `../odcs-${shown.id}`);
});

test('what is no link is neither replaced nor removed, and nothing is linked beside target directories of others', async () => {
  mkdirSync(join(targetDir, 'ci/latest-Taken-1'), { recursive: true });
  const failed = await composer.compose(requestOf('Taken 1', ['ed'], { composeType: 'ci' }));
  assert.equal(failed.state, 'failed');
  assert.match(failed.stateReason ?? '', /ci\/latest-Taken-1 is in the way/);
  await mendReleaseLinks(context);
  rmdirSync(join(targetDir, 'ci/latest-Taken-1'));
  const made = await composer.compose(requestOf('Taken 1', ['ed'], { composeType: 'ci' }));
  assert.equal(linkOf('ci/latest-Taken-1'), `../odcs-${made.id}`);
  rmSync(join(targetDir, 'ci/latest-Taken-1'));
  const storage = { trouble: async () => null, isOurs: async () => false };
  await mendReleaseLinks({ ...context, storage });
  assert.ok(!existsSync(join(targetDir, 'ci/latest-Taken-1')));
});

test('a compose that not everybody may read is not the latest for everybody', async () => {
  const open = await composer.compose(requestOf('Readers 1', ['ed']));
  const closed = await composer.compose(requestOf('Readers 1', ['bash']), {
    readers: { users: ['somebody'], groups: [] },
  });
  assert.equal(closed.state, 'done', closed.stateReason ?? '');
  assert.equal(linkOf('test/latest-Readers-1'), `../odcs-${open.id}`);
  assert.ok(!readdirSync(join(targetDir, 'test')).includes(closed.pungiComposeId ?? ''));
});

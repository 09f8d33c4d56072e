import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { fillWithUpdates, openKojiScene, ruleText, type KojiScene } from './koji-scene.ts';

const sideTagReady = ruleText('side-tag-${tag}', {
  on: "  - event: koji.tag\n    match: { tag: 'f44-side-*', side_tag: true }",
  more: `group_by: [tag]
reconcile: 1m
require:
  - koji.tag_has_packages: { tag: '\${tag}', packages: [kappa, lambda] }
  - koji.no_open_builds: { tag: '\${tag}' }
require_within: 1h
`,
  source: "{ type: tag, source: '${tag}' }",
}).replace('name: side-tag-${tag}', 'name: side-tag-ready');

async function openSideTag(
  context: TestContext,
): Promise<{ readonly scene: KojiScene; readonly tag: string }> {
  const scene = await openKojiScene(context, { rules: [sideTagReady], prepare: fillWithUpdates });
  const { tag } = scene.hub.addSidetag('f44', { user: 'alice' });
  scene.hub.tag(tag, 'kappa-2-1');
  await scene.quiet();
  return { scene, tag };
}

const outcomes = async (scene: KojiScene): Promise<string[]> =>
  (await scene.windows()).map(({ outcome }) => outcome);

test('a side tag is composed when all its packages are in it and none is being built', async (context) => {
  const { scene, tag } = await openSideTag(context);
  const { hub } = scene;
  assert.deepEqual(await outcomes(scene), ['not_ready']);
  hub.startBuild('delta-2-1', tag);
  hub.tag(tag, 'lambda-1-1');
  await scene.quiet();
  assert.match((await scene.windows()).at(-1)?.why ?? '', /delta-2-1 still building/);
  hub.finishBuild('delta-2-1');
  hub.tag(tag, 'delta-2-1');
  await scene.quiet();
  assert.equal(
    await scene.composed(),
    'delta-2-1 unsigned, kappa-2-1 unsigned, lambda-1-1 unsigned, upd-2-1 unsigned',
  );
});

test('a composed side tag that is removed ends: nothing looks at it again', async (context) => {
  const { scene, tag } = await openSideTag(context);
  scene.hub.tag(tag, 'lambda-1-1');
  await scene.quiet();
  assert.equal(await scene.composed(), 'kappa-2-1 unsigned, lambda-1-1 unsigned, upd-2-1 unsigned');
  const before = await outcomes(scene);
  scene.hub.removeSidetag(tag);
  for (let look = 0; look < 3; look += 1) await scene.lookAgain();
  const since = (await scene.windows()).slice(before.length);
  assert.ok(since.length <= 1, `one decision at most ends it: ${JSON.stringify(since)}`);
  assert.ok(
    since.every(({ outcome }) => outcome !== 'not_ready'),
    'what is gone does not become ready',
  );
});

test('a side tag that is removed unfinished ends with one decision', async (context) => {
  const { scene, tag } = await openSideTag(context);
  const before = await outcomes(scene);
  scene.hub.removeSidetag(tag);
  for (let look = 0; look < 3; look += 1) await scene.lookAgain();
  const since = (await scene.windows()).slice(before.length);
  assert.ok(since.length <= 1, `one decision at most ends it: ${JSON.stringify(since)}`);
  assert.ok(
    since.every(({ outcome }) => outcome !== 'not_ready'),
    'what is gone does not become ready',
  );
});

test('a side tag that is gone is not told to be late', async (context) => {
  const { scene, tag } = await openSideTag(context);
  scene.hub.removeSidetag(tag);
  await scene.lookAgain();
  await scene.lookAgain(2 * 3_600_000);
  const late = (await scene.windows()).filter(({ why }) => /longer than require_within/.test(why));
  assert.deepEqual(late, []);
});

test('a living side tag is looked at again although many were removed', async (context) => {
  const { scene, tag } = await openSideTag(context);
  const { hub } = scene;
  for (let count = 0; count < 5; count += 1) {
    const gone = hub.addSidetag('f44');
    hub.tag(gone.tag, 'kappa-2-1');
    await scene.quiet();
    hub.removeSidetag(gone.tag);
  }
  hub.messages.lose();
  hub.tag(tag, 'lambda-1-1');
  await scene.lookAgain();
  assert.equal(await scene.composed(), 'kappa-2-1 unsigned, lambda-1-1 unsigned, upd-2-1 unsigned');
});

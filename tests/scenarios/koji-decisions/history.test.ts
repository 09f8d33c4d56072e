import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StateHub } from '../../upstream/koji/state-hub.ts';
import { fillWithUpdates, followUpdates, openKojiScene, ruleText } from './koji-scene.ts';

const byAlice = (kind: 'tag' | 'untag'): string =>
  ruleText('by-alice', {
    on: `  - event: koji.${kind}\n    match: { tag: f44, user: alice }`,
    source: '{ type: tag, source: f44 }',
  });

const notOscar = ruleText('not-oscar', {
  on: '  - event: koji.tag\n    match: { tag: f44 }\n    unless: { user: [oscar] }',
  more: 'reconcile: 1m\n',
  source: '{ type: tag, source: f44 }',
});

/** Two builds are in the tag for longer than the look goes back, and nothing else has happened since. */
function prepare(hub: StateHub): void {
  fillWithUpdates(hub);
  hub.tag('f44', 'lambda-1-1');
}

test('a tagging whose message was lost is found in the history, once', async (context) => {
  const rules = [
    ruleText('found', {
      on: '  - event: koji.tag\n    match: { tag: f44, package: kappa }',
      source: '{ type: tag, source: f44 }',
    }),
  ];
  const scene = await openKojiScene(context, { rules, prepare });
  scene.hub.messages.lose();
  scene.hub.tag('f44', 'kappa-1-1');
  await scene.lookAgain();
  assert.equal(await scene.composed(), 'kappa-1-1 unsigned, lambda-1-1 unsigned, upd-2-1 unsigned');
  await scene.lookAgain();
  assert.equal((await scene.windows()).length, 1);
});

test('a rule that asks who tagged a build knows it of what is found in the history', async (context) => {
  const scene = await openKojiScene(context, { rules: [byAlice('tag')], prepare });
  scene.hub.messages.lose();
  scene.hub.tag('f44', 'kappa-1-1', { user: 'alice' });
  await scene.lookAgain();
  assert.equal(await scene.composed(), 'kappa-1-1 unsigned, lambda-1-1 unsigned, upd-2-1 unsigned');
});

test('a rule that asks who untagged a build knows it of what is found in the history', async (context) => {
  const scene = await openKojiScene(context, { rules: [byAlice('untag')], prepare });
  scene.hub.messages.lose();
  scene.hub.untag('f44', 'lambda-1-1', { user: 'alice' });
  await scene.lookAgain();
  assert.equal(await scene.composed(), 'upd-2-1 unsigned');
});

test('what a rule excludes by its user is excluded when the history tells of it, and what it does not is not', async (context) => {
  const rules = [notOscar.replace('reconcile: 1m\n', '')];
  const scene = await openKojiScene(context, { rules, prepare });
  scene.hub.messages.lose();
  scene.hub.tag('f44', 'delta-1-1', { user: 'oscar' });
  await scene.lookAgain();
  assert.equal(await scene.composed(), '', 'oscar is excluded');
  scene.hub.tag('f44', 'kappa-1-1', { user: 'alice' });
  await scene.lookAgain();
  assert.match(await scene.composed(), /^delta-1-1 unsigned, kappa-1-1 unsigned, /);
});

test('a sweep leaves out what the rule excludes', async (context) => {
  const scene = await openKojiScene(context, { rules: [notOscar], prepare });
  const before = await scene.composed();
  scene.hub.tag('f44', 'kappa-1-1', { user: 'oscar' });
  await scene.quiet();
  assert.equal(await scene.composed(), before);
  await scene.lookAgain();
  assert.equal(await scene.composed(), before, 'the sweep composes what the message did not');
  scene.hub.tag('f44', 'delta-1-1', { user: 'alice' });
  await scene.quiet();
  assert.match(await scene.composed(), /^delta-1-1 unsigned, kappa-1-1 unsigned, /);
});

test('nothing from before the first start of the service comes in', async (context) => {
  const scene = await openKojiScene(context, { rules: [followUpdates], prepare });
  await scene.lookAgain();
  const found = (await scene.events()).filter(({ kind }) => kind === 'koji.tag');
  assert.deepEqual(found, []);
});

test('a followed tag that was renamed is told of instead of silence', async (context) => {
  const scene = await openKojiScene(context, { rules: [followUpdates], prepare });
  scene.hub.renameTag('f44-updates', 'f44-updates-final');
  await scene.lookAgain();
  const last = (await scene.windows()).at(-1);
  assert.equal(last?.outcome, 'failed');
  assert.match(last.why, /Unknown Koji tag f44-updates\b/);
});

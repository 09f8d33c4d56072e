import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillWithUpdates, followUpdates, openKojiScene } from './koji-scene.ts';

const scene = { rules: [followUpdates], prepare: fillWithUpdates };

test('each change of the tag and of those it inherits from is composed', async (context) => {
  const opened = await openKojiScene(context, scene);
  const { hub } = opened;
  hub.tag('f44', 'kappa-1-1');
  await opened.quiet();
  assert.equal(await opened.composed(), 'kappa-1-1 unsigned, upd-2-1 unsigned');
  hub.tag('f44-updates', 'upd-6-1');
  await opened.quiet();
  assert.equal(await opened.composed(), 'kappa-1-1 unsigned, upd-6-1 unsigned');
  hub.untag('f44-updates', 'upd-6-1');
  await opened.quiet();
  assert.equal(await opened.composed(), 'kappa-1-1 unsigned, upd-2-1 unsigned');
});

test('what no message tells of is found by the next sweep: a block, a link, its removal', async (context) => {
  const opened = await openKojiScene(context, scene);
  const { hub } = opened;
  hub.tag('f44', 'kappa-1-1');
  await opened.quiet();
  hub.blockPackage('f44-updates', 'kappa');
  await opened.lookAgain();
  assert.equal(await opened.composed(), 'upd-2-1 unsigned');
  hub.unblockPackage('f44-updates', 'kappa');
  hub.editInheritance('f44-updates', { f44: { pkgFilter: '^kappa$' } });
  await opened.lookAgain();
  assert.equal(await opened.composed(), 'kappa-1-1 unsigned');
});

test('a change that is committed after a later one was composed is composed too', async (context) => {
  const opened = await openKojiScene(context, scene);
  const { hub } = opened;
  const slow = hub.begin();
  slow.tag('f44', 'upd-6-1');
  hub.tag('f44', 'kappa-1-1');
  await opened.quiet();
  assert.equal(await opened.composed(), 'kappa-1-1 unsigned, upd-2-1 unsigned');
  slow.commit();
  await opened.quiet();
  assert.equal(await opened.composed(), 'kappa-1-1 unsigned, upd-6-1 unsigned');
});

test('a change that is committed late, its message lost, is composed after a look', async (context) => {
  const opened = await openKojiScene(context, scene);
  const { hub } = opened;
  const slow = hub.begin();
  slow.tag('f44', 'upd-6-1');
  hub.tag('f44', 'kappa-1-1');
  await opened.quiet();
  hub.messages.lose();
  slow.commit();
  await opened.lookAgain();
  assert.equal(await opened.composed(), 'kappa-1-1 unsigned, upd-6-1 unsigned');
});

test('a block that is committed late is found by a sweep, although no message tells', async (context) => {
  const opened = await openKojiScene(context, scene);
  const { hub } = opened;
  const slow = hub.begin();
  slow.blockPackage('f44-updates', 'upd');
  hub.tag('f44', 'kappa-1-1');
  await opened.quiet();
  hub.messages.lose();
  slow.commit();
  await opened.lookAgain();
  assert.equal(await opened.composed(), 'kappa-1-1 unsigned');
});

test('messages of two changes that come in the wrong order lead to the present content', async (context) => {
  const opened = await openKojiScene(context, scene);
  const { hub } = opened;
  hub.messages.withhold();
  hub.tag('f44', 'kappa-1-1');
  hub.tag('f44', 'kappa-2-1');
  hub.untag('f44', 'kappa-2-1');
  hub.messages.release('reversed');
  await opened.quiet();
  assert.equal(await opened.composed(), 'kappa-1-1 unsigned, upd-2-1 unsigned');
});

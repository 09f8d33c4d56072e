import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StateHub } from '../../upstream/koji/state-hub.ts';
import { fillWithUpdates, openKojiScene, ruleText } from './koji-scene.ts';

const FIRST = 'f5d95b82';
const SECOND = 'e656219e';
const ON_TAG = '  - event: koji.tag\n    match: { feeds: f44-updates }\n';
const ON_SIGN = '  - event: koji.sign\n    match: { sigkey: f5d95b82 }\n';

/** A rule that composes `f44-updates` of copies signed with the first key it finds. */
const signedRule = (on: string, sigkeys: string): string =>
  ruleText('signed', {
    on: on.trimEnd(),
    more: 'reconcile: 1m\n',
    source: `{ type: tag, source: f44-updates, sigkeys: [${sigkeys}] }`,
  });

function sign(hub: StateHub, nvr: string, sigkey: string): void {
  hub.importSigned(nvr, sigkey);
  hub.writeSignedCopy(nvr, sigkey);
}

/** What is in the tag is signed with the second key before the service starts. */
function fillSigned(hub: StateHub): void {
  fillWithUpdates(hub);
  sign(hub, 'upd-2-1', SECOND);
  sign(hub, 'delta-1-1', SECOND);
}

test('a compose takes the copies of the first key that a package is signed with', async (context) => {
  const rules = [signedRule(ON_TAG, `${FIRST}, ${SECOND}`)];
  const opened = await openKojiScene(context, { rules, prepare: fillSigned });
  sign(opened.hub, 'delta-1-1', FIRST);
  opened.hub.tag('f44', 'delta-1-1');
  await opened.quiet();
  assert.equal(await opened.composed(), `delta-1-1 ${FIRST}, upd-2-1 ${SECOND}`);
});

test('a better signature whose copy is written leads to a compose with it', async (context) => {
  const rules = [signedRule(ON_TAG + ON_SIGN, `${FIRST}, ${SECOND}`)];
  const opened = await openKojiScene(context, { rules, prepare: fillSigned });
  const { hub } = opened;
  hub.tag('f44', 'delta-1-1');
  await opened.quiet();
  assert.equal(await opened.composed(), `delta-1-1 ${SECOND}, upd-2-1 ${SECOND}`);
  hub.messages.withhold();
  sign(hub, 'delta-1-1', FIRST);
  hub.messages.release();
  await opened.quiet();
  assert.equal(await opened.composed(), `delta-1-1 ${FIRST}, upd-2-1 ${SECOND}`);
});

test('where unsigned copies are allowed, signed ones replace them as they come', async (context) => {
  const rules = [signedRule(ON_TAG + ON_SIGN, `${FIRST}, ''`)];
  const opened = await openKojiScene(context, { rules, prepare: fillWithUpdates });
  const { hub } = opened;
  hub.tag('f44', 'delta-1-1');
  await opened.quiet();
  assert.equal(await opened.composed(), 'delta-1-1 unsigned, upd-2-1 unsigned');
  hub.messages.withhold();
  sign(hub, 'delta-1-1', FIRST);
  hub.messages.release();
  await opened.quiet();
  assert.equal(await opened.composed(), `delta-1-1 ${FIRST}, upd-2-1 unsigned`);
});

test('a signed copy that is written after its message was decided on is found by a sweep', async (context) => {
  const rules = [signedRule(ON_TAG + ON_SIGN, `${FIRST}, ''`)];
  const opened = await openKojiScene(context, { rules, prepare: fillWithUpdates });
  const { hub } = opened;
  hub.tag('f44', 'delta-1-1');
  await opened.quiet();
  // What the history tells late is past, so that a sweep alone can find the copy.
  await opened.lookAgain(600_000);
  hub.importSigned('delta-1-1', FIRST);
  await opened.quiet();
  assert.equal(await opened.composed(), 'delta-1-1 unsigned, upd-2-1 unsigned');
  hub.writeSignedCopy('delta-1-1', FIRST);
  await opened.lookAgain();
  assert.equal(await opened.composed(), `delta-1-1 ${FIRST}, upd-2-1 unsigned`);
});

test('a rule that is triggered by hand looks at the signatures anew', async (context) => {
  const rules = [signedRule(ON_TAG, `${FIRST}, ''`)];
  const opened = await openKojiScene(context, { rules, prepare: fillWithUpdates });
  const { hub } = opened;
  hub.tag('f44', 'delta-1-1');
  await opened.quiet();
  sign(hub, 'delta-1-1', FIRST);
  await opened.quiet();
  assert.equal(await opened.composed(), 'delta-1-1 unsigned, upd-2-1 unsigned');
  await opened.trigger('signed');
  assert.equal(await opened.composed(), `delta-1-1 ${FIRST}, upd-2-1 unsigned`);
});

test('a rule with a schedule looks at the signatures anew when it ticks', async (context) => {
  const schedule = "  - schedule: '* * * * *'\n";
  const rules = [signedRule(ON_TAG + schedule, `${FIRST}, ''`)];
  const opened = await openKojiScene(context, { rules, prepare: fillWithUpdates });
  const { hub } = opened;
  hub.tag('f44', 'delta-1-1');
  await opened.quiet();
  sign(hub, 'delta-1-1', FIRST);
  await opened.lookAgain();
  assert.equal(await opened.composed(), `delta-1-1 ${FIRST}, upd-2-1 unsigned`);
});

test('a compose that failed for a missing signature is made by the sweep after it is there', async (context) => {
  const rules = [signedRule(ON_TAG, FIRST)];
  const opened = await openKojiScene(context, {
    rules,
    prepare: (hub) => {
      fillWithUpdates(hub);
      sign(hub, 'upd-2-1', FIRST);
    },
  });
  const { hub } = opened;
  hub.tag('f44', 'delta-1-1');
  await opened.quiet();
  assert.equal((await opened.windows()).at(-1)?.outcome, 'failed');
  sign(hub, 'delta-1-1', FIRST);
  await opened.lookAgain();
  assert.equal(await opened.composed(), `delta-1-1 ${FIRST}, upd-2-1 ${FIRST}`);
});

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { z } from 'zod';
import type { StateHub } from '../../upstream/koji/state-hub.ts';
import { openKojiScene, ruleText, type KojiScene } from './koji-scene.ts';

const follow = (name: string, tag: string): string =>
  ruleText(name, {
    on: `  - event: koji.tag\n    match: { feeds: '${tag}' }`,
    more: 'reconcile: 1m\n',
    source: `{ type: tag, source: '${tag}' }`,
  });

/** Tags of the same names on both hubs; the other hub has come to other events by then. */
function fill(hub: StateHub, builds: readonly string[]): void {
  hub.addTag('f44');
  hub.addTag('f44-updates', { parents: ['f44'] });
  for (const nvr of builds) {
    hub.addPackage('f44', nvr.split('-')[0] ?? '');
    hub.importBuild(nvr);
  }
  hub.tag('f44', builds[0] ?? '');
}

async function open(context: TestContext): Promise<{ readonly scene: KojiScene; readonly brew: StateHub }> {
  const scene = await openKojiScene(context, {
    rules: [follow('ours', 'f44-updates'), follow('theirs', 'brew:f44-updates')],
    prepare: (hub) => fill(hub, ['kappa-1-1', 'kappa-2-1']),
    others: {
      brew: (hub) => {
        for (let number = 0; number < 40; number += 1) hub.addTag(`other-${number}`);
        fill(hub, ['lambda-1-1', 'lambda-2-1', 'lambda-3-1']);
      },
    },
  });
  return { scene, brew: scene.hubs.get('brew') ?? assert.fail('there is no second hub') };
}

const windowsOf = async (scene: KojiScene, rule: string) =>
  (await scene.windows()).filter((window) => window.rule === rule);

test('a request is composed from the hub that it names, at an event of that hub', async (context) => {
  const { scene, brew } = await open(context);
  const ours = await scene.request({ type: 'tag', source: 'f44-updates' });
  assert.equal(await scene.composed(), 'kappa-1-1 unsigned');
  assert.equal(ours.source, 'f44-updates');
  const theirs = await scene.request({ type: 'tag', source: 'brew:f44-updates' });
  assert.equal(await scene.composed(), 'lambda-1-1 unsigned');
  assert.equal(theirs.source, 'brew:f44-updates', 'the source as it was asked for');
  assert.ok((ours.koji_event ?? 0) < 40 && (theirs.koji_event ?? 0) > 40, 'each hub counts by itself');
  const added = await scene.request({ type: 'tag', source: 'brew:f44-updates', builds: ['lambda-2-1'] });
  assert.equal(added.state_name, 'done', added.state_reason);
  assert.equal(await scene.composed(), 'lambda-2-1 unsigned', 'a bare build is of the hub of the tag');
  const build = await scene.request({ type: 'build', source: '', builds: ['brew:lambda-3-1'] });
  assert.equal(build.state_name, 'done', build.state_reason);
  assert.equal(await scene.composed(), 'lambda-3-1 unsigned');
  assert.ok(brew.nvrsOf('lambda').length > 0);
});

test('a message starts the rules of the hub that sent it and no others', async (context) => {
  const { scene, brew } = await open(context);
  const began = { ours: await windowsOf(scene, 'ours'), theirs: await windowsOf(scene, 'theirs') };
  brew.tag('f44', 'lambda-2-1');
  await scene.quiet();
  assert.equal(await scene.composed(), 'lambda-2-1 unsigned');
  assert.equal((await windowsOf(scene, 'ours')).length, began.ours.length, 'the same tag of another hub');
  assert.equal((await windowsOf(scene, 'theirs')).length, began.theirs.length + 1);
  scene.hub.tag('f44', 'kappa-2-1');
  await scene.quiet();
  assert.equal(await scene.composed(), 'kappa-2-1 unsigned');
  assert.equal((await windowsOf(scene, 'theirs')).length, began.theirs.length + 1);
});

test('what no message told is found in the history of each hub, and counts for that hub', async (context) => {
  const { scene, brew } = await open(context);
  scene.hub.messages.lose();
  scene.hub.tag('f44', 'kappa-2-1');
  brew.messages.lose();
  brew.tag('f44', 'lambda-2-1');
  await scene.lookAgain();
  const found = (await scene.events()).filter(({ bus, kind }) => bus === 'internal' && kind === 'koji.tag');
  assert.deepEqual(found.map(({ instance }) => instance).sort(), ['brew', 'local']);
  const sources = (await scene.composes()).map(({ source }) => source).slice(-2);
  assert.deepEqual(sources.toSorted(), ['brew:f44-updates', 'f44-updates']);
});

test('a hub that is away stops neither the messages nor the sweeps of the other', async (context) => {
  const { scene, brew } = await open(context);
  brew.goOffline();
  scene.away.hubs.add('brew');
  scene.away.rules.add('theirs');
  scene.hub.tag('f44', 'kappa-2-1');
  await scene.quiet();
  assert.equal(await scene.composed(), 'kappa-2-1 unsigned');
  scene.hub.messages.lose();
  scene.hub.untag('f44', 'kappa-2-1');
  await scene.lookAgain();
  assert.equal(await scene.composed(), 'kappa-1-1 unsigned');
  const part = z.object({ name: z.string(), ok: z.boolean(), detail: z.string() });
  const health = await fetch(`${scene.reactor.url}/api/1/health`);
  const { parts } = z.object({ parts: z.array(part) }).parse(await health.json());
  const kojis = parts.filter(({ name }) => name.startsWith('koji')).map(({ name, ok }) => `${name} ${ok}`);
  assert.deepEqual(kojis, ['koji true', 'koji:brew false']);
  const metrics = await (await fetch(`${scene.reactor.url}/api/1/metrics/`)).text();
  assert.match(metrics, /^odcs_upstream_connected\{system="koji:brew"\} 0$/m);
  assert.match(metrics, /^odcs_upstream_connected\{system="koji"\} 1$/m);
});

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { KojiTagReader, replacePackages } from '../../../src/composer/koji/koji-tag-reader.ts';
import { getLastEvent } from '../../../src/upstream/koji/hub-events.ts';
import { listTaggedRpms } from '../../../src/upstream/koji/hub-tags.ts';
import { KojiHub } from '../../../src/upstream/koji/hub.ts';
import { startHubServer, type HubServer, type ServedCall } from '../../upstream/koji/hub-server.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';

const opened: { hub: KojiHub; server: HubServer }[] = [];

afterEach(async () => {
  for (const { hub, server } of opened.splice(0)) {
    hub.close();
    await server.close();
  }
});

async function start(): Promise<{
  state: StateHub;
  hub: KojiHub;
  reader: KojiTagReader;
  calls: ServedCall[];
}> {
  const state = new StateHub();
  const server = await startHubServer(state.answer);
  const hub = new KojiHub({ url: server.url });
  opened.push({ hub, server });
  return { state, hub, reader: new KojiTagReader(hub), calls: server.calls };
}

const wish = { tag: 'f-small', event: null, inherit: true };

function listings(calls: readonly ServedCall[]): unknown[] {
  return calls
    .filter((call) => call.method === 'listTaggedRPMS')
    .map((call) => call.keywords['package'] ?? 'all');
}

function nvrs(content: Awaited<ReturnType<KojiTagReader['read']>>['content']): string[] {
  return [...content.builds.values()].map((build) => build.nvr).sort();
}

test('what is kept and brought up to date is what a new listing says', async () => {
  const { state, hub, reader, calls } = await start();
  const now = new Date(state.now * 1000);
  await reader.read(wish, now);
  const steps = [
    () => state.tag('f-small', 'e-lib-1-1'),
    () => state.untag('f-small', 'e-zz-1-1'),
    () => state.tag('f-old', 'e-zz-1-1'),
    () => (state.tag('f-small', 'e-tie-b-1-1'), state.untag('f-small', 'e-lib-1-1')),
  ];
  for (const step of steps) {
    state.now += 1;
    step();
    const { content, pin } = await reader.read(wish, new Date(state.now * 1000));
    const fresh = await listTaggedRpms(hub, { tag: 'f-small', event: pin.event.id, inherit: true });
    assert.deepEqual(nvrs(content), nvrs(fresh));
    assert.deepEqual(new Set(content.rpms.map((rpm) => rpm.id)), new Set(fresh.rpms.map((rpm) => rpm.id)));
  }
  const own = listings(calls).filter((name) => name !== 'all');
  assert.ok(own.includes('e-lib') && own.includes('e-zz') && own.includes('e-tie-b'), own.join(' '));
});

for (const [what, change] of [
  ['a package is blocked', (state: StateHub) => state.blockPackage('f-small', 'e-zz')],
  ['the inheritance changes', (state: StateHub) => state.editInheritance('f-small', { 'f-all': {} })],
] as const) {
  test(`where ${what} beside a build that is tagged, the tag is read whole`, async () => {
    const { state, hub, reader, calls } = await start();
    const before = await reader.read(wish, new Date(state.now * 1000));
    state.now += 1;
    state.tag('f-small', 'e-lib-1-1');
    change(state);
    const { content, pin } = await reader.read(wish, new Date(state.now * 1000));
    assert.deepEqual(listings(calls), ['all', 'all']);
    const fresh = await listTaggedRpms(hub, { tag: 'f-small', event: pin.event.id, inherit: true });
    assert.deepEqual(nvrs(content), nvrs(fresh));
    assert.notDeepEqual(nvrs(content), nvrs(before.content));
  });
}

test('a change that is none of the content costs no listing', async () => {
  const { state, reader, calls } = await start();
  const before = await reader.read(wish, new Date(state.now * 1000));
  state.now += 1;
  state.setTagExtra('f-small', { note: 'x' });
  const { content, pin } = await reader.read(wish, new Date(state.now * 1000));
  assert.ok(pin.event.id > before.pin.event.id);
  assert.deepEqual(listings(calls), ['all']);
  assert.deepEqual(nvrs(content), nvrs(before.content));
});

test('only packages that changed in the tag are listed, whatever other tags get', async () => {
  const { state, reader, calls } = await start();
  await reader.read(wish, new Date(state.now * 1000));
  state.now += 1;
  state.tag('f-small', 'e-lib-1-1');
  state.tag('f-old', 'e-zz-1-1');
  await reader.read(wish, new Date(state.now * 1000));
  assert.deepEqual(listings(calls), ['all', 'e-lib']);
});

test('what becomes visible below an event that was read already is noticed', async () => {
  const { state, reader } = await start();
  const slow = state.begin();
  slow.tag('f-small', 'e-lib-1-1');
  state.tag('f-small', 'e-tie-b-1-1');
  const before = await reader.read(wish, new Date(state.now * 1000));
  slow.commit();
  const { content, pin } = await reader.read(wish, new Date(state.now * 1000));
  assert.equal(pin.event.id, before.pin.event.id);
  assert.ok(!nvrs(before.content).includes('e-lib-1-1') && nvrs(content).includes('e-lib-1-1'));
});

test('another tag that took the name is read whole', async () => {
  const { state, hub, reader, calls } = await start();
  await reader.read(wish, new Date(state.now * 1000));
  state.renameTag('f-small', 'f-gone');
  state.renameTag('f-old', 'f-small');
  const { content, pin } = await reader.read(wish, new Date(state.now * 1000));
  assert.deepEqual(listings(calls), ['all', 'all']);
  const fresh = await listTaggedRpms(hub, { tag: 'f-small', event: pin.event.id, inherit: true });
  assert.deepEqual(nvrs(content), nvrs(fresh));
});

test('a hub that answers with an earlier event than before is read whole', async () => {
  const state = new StateHub();
  const behind: { event?: ServedCall['args'][number] } = {};
  const server = await startHubServer((call) =>
    call.method === 'getLastEvent' && behind.event !== undefined && call.keywords['before'] === undefined
      ? { value: behind.event }
      : state.answer(call),
  );
  const hub = new KojiHub({ url: server.url });
  opened.push({ hub, server });
  const reader = new KojiTagReader(hub);
  const before = await getLastEvent(hub);
  assert.ok(before !== null);
  state.now += 1;
  state.tag('f-small', 'e-lib-1-1');
  const ahead = await reader.read(wish, new Date(state.now * 1000));
  behind.event = { id: before.id, ts: before.at / 1000 };
  const { content, pin } = await reader.read(wish, new Date(state.now * 1000));
  assert.deepEqual([pin.event.id, listings(server.calls)], [before.id, ['all', 'all']]);
  assert.ok(nvrs(ahead.content).includes('e-lib-1-1') && !nvrs(content).includes('e-lib-1-1'));
});

test('a tag with more changed packages than are worth a listing each is read whole', async () => {
  const { state, reader, calls } = await start();
  const whole = { ...wish, tag: 'f-all' };
  const { content } = await reader.read(whole, new Date(state.now * 1000));
  const byName = new Map([...content.builds.values()].map((build) => [build.packageName, build.nvr]));
  const untagged = [...byName.values()].slice(0, 41);
  assert.equal(untagged.length, 41);
  state.now += 1;
  for (const nvr of untagged) state.untag('f-all', nvr);
  const after = await reader.read(whole, new Date(state.now * 1000));
  assert.deepEqual(listings(calls), ['all', 'all']);
  assert.equal(after.content.builds.size, content.builds.size - untagged.length);
});

test('a tag is read whole again after some minutes, or when it is forgotten', async () => {
  const { state, reader, calls } = await start();
  await reader.read(wish, new Date(state.now * 1000));
  await reader.read(wish, new Date((state.now + 60) * 1000));
  assert.deepEqual(listings(calls), ['all']);
  reader.forget('f-small');
  await reader.read(wish, new Date((state.now + 61) * 1000));
  await reader.read(wish, new Date((state.now + 3600) * 1000));
  assert.deepEqual(listings(calls), ['all', 'all', 'all']);
});

test('those who ask at the same time share one listing, and one who gives up does not spoil it', async () => {
  const { state, reader, calls } = await start();
  const now = new Date(state.now * 1000);
  const [first, second] = await Promise.all([reader.read(wish, now), reader.read(wish, now)]);
  assert.equal(first, second);
  assert.deepEqual(listings(calls), ['all']);
  reader.forget('f-small');
  const controller = new AbortController();
  const given = reader.read(wish, now, controller.signal);
  const wanted = reader.read(wish, now);
  controller.abort();
  await assert.rejects(given, { name: 'AbortError' });
  assert.equal((await wanted).content.builds.size, first.content.builds.size);
});

test('exchanging the builds of one package leaves all others', async () => {
  const { hub } = await start();
  const all = await listTaggedRpms(hub, { tag: 'f-all', inherit: true });
  const library = await listTaggedRpms(hub, { tag: 'f-all', inherit: true, package: 'e-lib' });
  const without = replacePackages(all, new Map([['e-lib', { rpms: [], builds: new Map() }]]));
  assert.equal(without.rpms.length, all.rpms.length - library.rpms.length);
  const again = replacePackages(without, new Map([['e-lib', library]]));
  assert.deepEqual(new Set(again.rpms), new Set(all.rpms));
});

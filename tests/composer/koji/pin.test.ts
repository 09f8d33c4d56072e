import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { hasTagChanged, isPinTrue, pinTag } from '../../../src/composer/koji/pin.ts';
import { KojiHub } from '../../../src/upstream/koji/hub.ts';
import { startHubServer, type HubServer } from '../../upstream/koji/hub-server.ts';
import { recordedHub } from '../../upstream/koji/recorded-hub.ts';
import { StateHub, STATE_EVENT } from '../../upstream/koji/state-hub.ts';

const opened: { hub: KojiHub; server: HubServer }[] = [];

afterEach(async () => {
  for (const { hub, server } of opened.splice(0)) {
    hub.close();
    await server.close();
  }
});

async function start(): Promise<{ state: StateHub; hub: KojiHub }> {
  const state = new StateHub();
  const server = await startHubServer(state.answer);
  const hub = new KojiHub({ url: server.url });
  opened.push({ hub, server });
  return { state, hub };
}

const small = { tag: 'f-small', event: null, inherit: true };

test('only an event that the hub has a much later one for is pinned for good, whatever clocks say', async () => {
  const { hub, state } = await start();
  assert.equal((await pinTag(hub, small)).isAged, false);
  state.now += 3600;
  state.tag('f-old', 'e-lib-1-1');
  const pin = await pinTag(hub, { ...small, event: STATE_EVENT });
  assert.deepEqual([pin.event.id, pin.isAged, pin.treeIds], [STATE_EVENT, true, [2]]);
  assert.equal(await isPinTrue(hub, pin), true);
  assert.equal(await hasTagChanged(hub, pin), false);
  state.tag('f-small', 'e-lib-1-1');
  assert.equal(await hasTagChanged(hub, pin), true);
});

test('a young event is true until a slower, earlier one becomes visible', async () => {
  const { hub, state } = await start();
  const slow = state.begin();
  slow.tag('f-small', 'e-lib-1-1');
  state.tag('f-small', 'e-tie-b-1-1');
  const pin = await pinTag(hub, small);
  assert.equal(pin.isAged, false);
  assert.equal(await isPinTrue(hub, pin), true);
  state.tag('f-small', 'e-dbg-1-1');
  assert.equal(await isPinTrue(hub, pin), true, 'a later event does not matter');
  slow.commit();
  assert.equal(await isPinTrue(hub, pin), false);
});

test('a slow change of another tag leaves the pin true', async () => {
  const { hub, state } = await start();
  const slow = state.begin();
  slow.tag('f-old', 'e-lib-1-1');
  state.tag('f-small', 'e-tie-b-1-1');
  const pin = await pinTag(hub, small);
  slow.commit();
  assert.equal(await isPinTrue(hub, pin), true);
});

test('unknown events, future events and unknown tags are told apart', async () => {
  const { hub, state } = await start();
  state.tag('f-old', 'e-lib-1-1');
  await assert.rejects(pinTag(hub, { ...small, event: 9999 }), {
    code: 'koji.event_in_future',
    message: `Koji event 9999 is in the future: the hub's last event is ${STATE_EVENT + 1}.`,
  });
  await assert.rejects(pinTag(hub, { ...small, event: 3 }), { code: 'koji.event_unknown' });
  await assert.rejects(pinTag(hub, { ...small, tag: 'nope' }), {
    code: 'koji.tag_unknown',
    message: 'Unknown Koji tag nope.',
  });
  assert.equal((await pinTag(hub, { ...small, event: STATE_EVENT })).event.id, STATE_EVENT);
});

test('the tree of a pin is the tag and all it inherits from, at the event', async () => {
  const server = await startHubServer((call) => {
    if (call.method === 'getLastEvent') return { value: { id: 64, ts: 1000 } };
    if (call.method === 'getEvent') return { value: { id: 63, ts: 1 } };
    if (call.method === 'getTag') return { value: { id: 12, name: 't-multi', arches: null, locked: false } };
    const { event: _event, ...keywords } = call.keywords;
    return recordedHub()({ ...call, keywords });
  });
  const hub = new KojiHub({ url: server.url });
  opened.push({ hub, server });
  const pin = await pinTag(hub, { tag: 't-multi', event: 63, inherit: true });
  assert.ok(pin.treeIds.length > 3 && pin.treeIds.includes(12));
  const alone = await pinTag(hub, { tag: 't-multi', event: 63, inherit: false });
  assert.deepEqual(alone.treeIds, [12]);
});

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseRpmHeader } from '../../../src/rpm/header/rpm-header.ts';
import { digestsOf } from '../../../src/rpm/header/rpm-facts.ts';
import { sigkeyOf } from '../../../src/rpm/header/sigkey.ts';
import { HubRow, rowsOf } from '../../../src/upstream/koji/hub-row.ts';
import type { XmlRpcKeywords, XmlRpcValue } from '../../../src/upstream/koji/xml-rpc-value.ts';
import { ServedFault, startHubServer } from './hub-server.ts';
import { KojiHub } from '../../../src/upstream/koji/hub.ts';
import { StateHub } from './state-hub.ts';

function ask(
  hub: StateHub,
  method: string,
  args: XmlRpcValue[] = [],
  keywords: XmlRpcKeywords = {},
): XmlRpcValue {
  const answer = hub.answer({ method, args, keywords });
  assert.ok('value' in answer);
  return answer.value;
}

function faultOf(hub: StateHub, method: string, args: XmlRpcValue[], keywords: XmlRpcKeywords = {}): string {
  try {
    ask(hub, method, args, keywords);
  } catch (error) {
    if (error instanceof ServedFault) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'no fault';
}

const lastEvent = (hub: StateHub): number =>
  new HubRow(ask(hub, 'getLastEvent'), 'getLastEvent').integer('id');
const nvrsIn = (hub: StateHub, tag: string, keywords: XmlRpcKeywords = {}): string[] =>
  rowsOf(ask(hub, 'listTagged', [tag], { inherit: true, latest: true, ...keywords }), 'listTagged').map(
    (row) => new HubRow(row, 'listTagged').text('nvr'),
  );
const history = (hub: StateHub, afterEvent: number): HubRow[] => {
  const answer = new HubRow(
    ask(hub, 'queryHistory', [], { tables: ['tag_listing'], afterEvent }),
    'queryHistory',
  );
  return rowsOf(answer.value('tag_listing'), 'queryHistory').map((row) => new HubRow(row, 'queryHistory'));
};
const topicsOf = (hub: StateHub): string[] =>
  hub.messages.delivered.map(({ topic }) => topic.replace('org.fedoraproject.prod.buildsys.', ''));

/** A hub with a release tag, an updates tag that inherits from it, and two versions of a package. */
function smallHub(topDir?: string): StateHub {
  const hub = new StateHub({ content: 'empty', ...(topDir === undefined ? {} : { topDir }) });
  hub.addTag('f44');
  hub.addTag('f44-updates', { parents: ['f44'] });
  hub.addPackage('f44', 'kappa');
  for (const nvr of ['kappa-1-1', 'kappa-2-1', 'lambda-1-1']) hub.importBuild(nvr, { owner: 'carol' });
  hub.tag('f44', 'kappa-1-1');
  return hub;
}

test('an event is drawn when a change begins and seen when it is committed, after later ones too', () => {
  const hub = smallHub();
  const before = lastEvent(hub);
  const slow = hub.begin();
  const early = slow.tag('f44-updates', 'kappa-2-1');
  assert.equal(early, before + 1);
  const late = hub.tag('f44', 'lambda-1-1');
  assert.equal(late, early + 1);
  assert.equal(lastEvent(hub), late);
  assert.equal(ask(hub, 'getEvent', [early], { strict: false }), null);
  assert.deepEqual(nvrsIn(hub, 'f44-updates', { event: late }), ['lambda-1-1', 'kappa-1-1']);
  assert.deepEqual(
    history(hub, before).map((row) => row.integer('create_event')),
    [late],
  );
  assert.equal(ask(hub, 'tagLastChangeEvent', ['f44-updates']), late);

  slow.commit();
  assert.equal(lastEvent(hub), late, 'the last event stays, although a lower one has appeared');
  assert.deepEqual(nvrsIn(hub, 'f44-updates', { event: late }), ['kappa-2-1', 'lambda-1-1']);
  assert.deepEqual(history(hub, late), []);
  assert.equal(history(hub, before).length, 2);
  assert.equal(ask(hub, 'tagChangedSinceEvent', [late, [2, 1]]), false);
});

test('several transactions are open at once, and one that is rolled back leaves a hole', () => {
  const hub = smallHub();
  const [first, second] = [hub.begin(), hub.begin()];
  const untagged = first.untag('f44', 'kappa-1-1');
  const tagged = second.tag('f44', 'kappa-2-1');
  first.rollBack();
  second.commit();
  assert.equal(faultOf(hub, 'getEvent', [untagged]), '1000 query returned no rows');
  assert.equal(lastEvent(hub), tagged);
  assert.deepEqual(nvrsIn(hub, 'f44', { latest: false }), ['kappa-2-1', 'kappa-1-1']);
  assert.deepEqual(
    nvrsIn(hub, 'f44', { latest: false, event: untagged }),
    ['kappa-1-1'],
    'a hole is an event',
  );
  assert.equal(hub.untag('f44', 'kappa-1-1'), tagged + 1);
});

test('a block hides a package of the parents, and its removal shows it again', () => {
  const hub = smallHub();
  const tagged = hub.tag('f44', 'lambda-1-1');
  hub.blockPackage('f44-updates', 'kappa');
  assert.deepEqual(nvrsIn(hub, 'f44-updates'), ['lambda-1-1']);
  assert.deepEqual(nvrsIn(hub, 'f44-updates', { event: tagged }), ['lambda-1-1', 'kappa-1-1']);
  assert.throws(() => hub.tag('f44-updates', 'kappa-2-1'), /blocked/);
  hub.unblockPackage('f44-updates', 'kappa');
  assert.deepEqual(nvrsIn(hub, 'f44-updates'), ['lambda-1-1', 'kappa-1-1']);
});

test('an inheritance edit changes what a tag holds, takes an event and tells nobody', () => {
  const hub = smallHub();
  const messages = hub.messages.delivered.length;
  const filtered = hub.editInheritance('f44-updates', { f44: { pkgFilter: '^lambda$' } });
  assert.deepEqual(nvrsIn(hub, 'f44-updates'), []);
  const removed = hub.editInheritance('f44-updates', { f44: null });
  assert.equal(removed, filtered + 1);
  assert.deepEqual(ask(hub, 'getFullInheritance', ['f44-updates']), []);
  assert.equal(ask(hub, 'tagLastChangeEvent', ['f44-updates']), removed);
  assert.deepEqual(nvrsIn(hub, 'f44-updates', { event: filtered - 1 }), ['kappa-1-1']);
  assert.equal(hub.messages.delivered.length, messages);
});

test('the history names who tagged and who untagged', () => {
  const hub = smallHub();
  const before = lastEvent(hub);
  hub.tag('f44', 'lambda-1-1', { user: 'alice' });
  hub.untag('f44', 'lambda-1-1', { user: 'oscar' });
  const [row, ...more] = history(hub, before);
  assert.deepEqual(more, []);
  assert.deepEqual([row?.text('creator_name'), row?.text('revoker_name')], ['alice', 'oscar']);
  assert.deepEqual([row?.value('active'), row?.flag('_revoked_after_event')], [null, true]);
});

test('a side tag inherits from its base; removed, it is gone with its content and says nothing', () => {
  const hub = smallHub();
  const { tag, event } = hub.addSidetag('f44', { user: 'alice' });
  assert.equal(tag, 'f44-side-3');
  assert.equal(event, lastEvent(hub));
  hub.tag(tag, 'kappa-2-1');
  assert.deepEqual(nvrsIn(hub, tag), ['kappa-2-1']);
  const extra = new HubRow(new HubRow(ask(hub, 'getTag', [tag]), 'getTag').value('extra'), 'extra');
  assert.deepEqual([extra.flag('sidetag'), extra.text('sidetag_user')], [true, 'alice']);
  assert.equal(rowsOf(ask(hub, 'listSideTags'), 'listSideTags').length, 1);

  const messages = topicsOf(hub);
  const removed = hub.removeSidetag(tag);
  assert.deepEqual(topicsOf(hub), messages);
  assert.equal(ask(hub, 'getTag', [tag]), null);
  assert.deepEqual(ask(hub, 'getBuildTargets'), []);
  assert.deepEqual(ask(hub, 'listSideTags'), []);
  assert.equal(faultOf(hub, 'listTagged', [tag]), `1000 No such tagInfo: '${tag}'`);
  assert.deepEqual(ask(hub, 'getFullInheritance', [tag]), [], 'no fault, unlike a tag that never was');
  assert.equal(ask(hub, 'tagLastChangeEvent', [tag]), removed);
  const untagged = history(hub, removed - 1).map((row) => row.integerOrNull('revoke_event'));
  assert.deepEqual(untagged, [removed]);
  const found = new HubRow(ask(hub, 'getTag', [tag], { event: 'auto' }), 'getTag');
  assert.deepEqual([found.integer('revoke_event'), found.integer('query_event')], [removed, removed - 1]);
});

test('a tag is renamed without an event: its old name is unknown, its content at old events is not', () => {
  const hub = smallHub();
  const before = lastEvent(hub);
  assert.equal(hub.renameTag('f44', 'f44-final'), null);
  assert.equal(lastEvent(hub), before);
  assert.equal(faultOf(hub, 'listTagged', ['f44']), "1000 No such tagInfo: 'f44'");
  assert.equal(faultOf(hub, 'tagLastChangeEvent', ['f44']), '1000 No such entry in table tag: f44');
  assert.deepEqual(nvrsIn(hub, 'f44-final', { event: before }), ['kappa-1-1']);
});

test('a build that is deleted is gone from old events too', () => {
  const hub = smallHub();
  const tagged = lastEvent(hub);
  assert.throws(() => hub.deleteBuild('kappa-1-1'), /tagged/);
  hub.untag('f44', 'kappa-1-1');
  assert.deepEqual(nvrsIn(hub, 'f44', { event: tagged }), ['kappa-1-1']);
  hub.deleteBuild('kappa-1-1');
  assert.deepEqual(nvrsIn(hub, 'f44', { event: tagged }), []);
  assert.equal(new HubRow(ask(hub, 'getBuild', ['kappa-1-1']), 'getBuild').integer('state'), 2);
});

test('a locked tag refuses builds unless they are forced into it', () => {
  const hub = smallHub();
  hub.lockTag('f44');
  assert.throws(() => hub.tag('f44', 'kappa-2-1'), /locked/);
  hub.tag('f44', 'kappa-2-1', { isForced: true });
  assert.deepEqual(nvrsIn(hub, 'f44'), ['kappa-2-1']);
});

test('what is wrong with a call is told in the faults of a hub', () => {
  const hub = smallHub();
  assert.equal(faultOf(hub, 'noSuchMethod', []), '1000 Invalid method: noSuchMethod');
  assert.equal(
    faultOf(hub, 'getTag', []),
    "1019 get_tag() missing 1 required positional argument: 'tagInfo'",
  );
  assert.match(faultOf(hub, 'getTag', [1, true, 1, true, 1, 1]), /^1019 get_tag\(\) takes/);
  assert.equal(
    faultOf(hub, 'getTag', ['f44'], { nonsense: 1 }),
    "1019 get_tag() got an unexpected keyword argument 'nonsense'",
  );
  assert.equal(faultOf(hub, 'getTag', [1.5]), '1019 Invalid name or id value: 1.5');
  assert.equal(faultOf(hub, 'getTag', ['f44'], { event: '42' }), "1000 Invalid event: '42'");
  assert.match(faultOf(hub, 'tagChangedSinceEvent', [1, []]), /^1 /);
  assert.equal(faultOf(hub, 'queryHistory', [], { tables: ['nope'] }), '1000 No such history table: nope');
  assert.equal(faultOf(hub, 'getBuild', ['nohyphens']), '1000 invalid format: nohyphens');
  hub.tellsLastChange = false;
  assert.equal(faultOf(hub, 'tagLastChangeEvent', ['f44']), '1000 Invalid method: tagLastChangeEvent');
});

test('a hub that is offline refuses a whole multicall', async (context) => {
  const hub = smallHub();
  const server = await startHubServer(hub.answer);
  const client = new KojiHub({ url: server.url, patience: { offlineMs: 0 } });
  context.after(async () => {
    client.close();
    await server.close();
  });
  const calls = [
    { method: 'getTag', args: ['f44'] },
    { method: 'getTag', args: ['f45'] },
  ];
  hub.goOffline();
  await assert.rejects(client.multicall(calls), { code: 'koji.hub_offline' });
  hub.goOnline();
  const [known, unknown] = await client.multicall(calls);
  assert.equal(new HubRow(known instanceof Error ? null : known, 'getTag').text('name'), 'f44');
  assert.equal(unknown, null);
});

function hubWithFiles(context: TestContext): { readonly hub: StateHub; readonly topDir: string } {
  const topDir = mkdtempSync(join(tmpdir(), 'state-hub-'));
  context.after(() => rmSync(topDir, { recursive: true, force: true }));
  return { hub: smallHub(topDir), topDir };
}

test('a signature is imported, a signed copy is written: two steps, neither takes an event', (context) => {
  const { hub, topDir } = hubWithFiles(context);
  const primary = join(topDir, 'packages/kappa/1/1/x86_64/kappa-1-1.x86_64.rpm');
  const signed = join(topDir, 'packages/kappa/1/1/data/signed/aabbccdd/x86_64/kappa-1-1.x86_64.rpm');
  const before = lastEvent(hub);
  const messages = topicsOf(hub).length;
  assert.throws(() => hub.writeSignedCopy('kappa-1-1', 'aabbccdd'), /not signed/);

  hub.importSigned('kappa-1-1', 'aabbccdd');
  assert.deepEqual(topicsOf(hub).slice(messages), ['rpm.sign', 'rpm.sign'], 'one for each RPM');
  assert.ok(!existsSync(signed));
  const rpm = new HubRow(ask(hub, 'getRPM', ['kappa-1-1.x86_64']), 'getRPM');
  const sigkeys = rowsOf(ask(hub, 'queryRPMSigs', [rpm.integer('id')]), 'queryRPMSigs').map((row) =>
    new HubRow(row, 'queryRPMSigs').text('sigkey'),
  );
  assert.deepEqual(sigkeys, ['', 'aabbccdd']);

  hub.writeSignedCopy('kappa-1-1', 'aabbccdd');
  assert.equal(topicsOf(hub).length, messages + 2);
  assert.equal(lastEvent(hub), before);
  const [own, signedHeader] = [primary, signed].map((path) => parseRpmHeader(readFileSync(path), path));
  assert.ok(own !== undefined && signedHeader !== undefined);
  assert.deepEqual([sigkeyOf(own), sigkeyOf(signedHeader)], [null, 'aabbccdd']);
  assert.equal(digestsOf(own).sigmd5, rpm.text('payloadhash'));
  assert.equal(digestsOf(signedHeader).sigmd5, rpm.text('payloadhash'), 'the same for every copy');
  assert.deepEqual(Object.keys(new Object(ask(hub, 'getRPMChecksums', [rpm.integer('id')]))), [
    '',
    'aabbccdd',
  ]);
  hub.removeSignedCopy('kappa-1-1', 'aabbccdd');
  assert.ok(!existsSync(signed));
});

test('a build that is tagged takes an event when it moves to another volume, and leaves a link behind', (context) => {
  const { hub, topDir } = hubWithFiles(context);
  const before = lastEvent(hub);
  assert.equal(hub.moveVolume('kappa-2-1', 'fast'), null);
  assert.equal(hub.moveVolume('kappa-1-1', 'fast'), before + 1);
  assert.equal(ask(hub, 'tagChangedSinceEvent', [before, [1]]), true);
  assert.deepEqual(history(hub, before), [], 'the history does not show it');
  const file = 'packages/kappa/1/1/x86_64/kappa-1-1.x86_64.rpm';
  assert.ok(existsSync(join(topDir, 'vol/fast', file)) && existsSync(join(topDir, file)));
  hub.untag('f44', 'kappa-1-1');
  hub.deleteBuild('kappa-1-1');
  assert.ok(!existsSync(join(topDir, 'vol/fast', file)));
});

test('messages leave after the commit, together; early, lost, late and disordered ones on demand', async () => {
  const hub = smallHub();
  hub.messages.delivered.length = 0;
  const heard: string[] = [];
  hub.messages.onMessage(async ({ body }) => {
    await Promise.resolve();
    heard.push(`${String(body['name'])} ${lastEvent(hub)}`);
  });
  const slow = hub.begin();
  slow.untag('f44', 'kappa-1-1');
  const event = slow.tag('f44', 'kappa-2-1');
  assert.deepEqual(topicsOf(hub), []);
  slow.commit();
  await hub.messages.settled();
  assert.deepEqual(topicsOf(hub), ['untag', 'tag']);
  assert.deepEqual(heard, [`kappa ${event}`, `kappa ${event}`]);

  const early = hub.begin('at once');
  early.tag('f44', 'kappa-1-1');
  assert.deepEqual(topicsOf(hub), ['untag', 'tag', 'tag']);
  early.commit();

  hub.messages.lose();
  hub.untag('f44', 'kappa-1-1');
  hub.messages.withhold();
  hub.tag('f44', 'kappa-1-1');
  hub.untag('f44', 'kappa-1-1');
  assert.deepEqual(topicsOf(hub), ['untag', 'tag', 'tag']);
  assert.equal(hub.messages.lost.length, 1);
  hub.messages.release('reversed');
  assert.deepEqual(topicsOf(hub), ['untag', 'tag', 'tag', 'untag', 'tag']);
});

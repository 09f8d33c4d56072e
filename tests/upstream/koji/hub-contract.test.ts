import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { binaryNamesOf } from '../../../src/upstream/koji/binary-names.ts';
import { getBuilds, getBuildsWithRpms, querySigkeys } from '../../../src/upstream/koji/hub-builds.ts';
import {
  getEvent,
  getLastEvent,
  queryContentChanges,
  queryTagHistory,
} from '../../../src/upstream/koji/hub-events.ts';
import {
  getFullInheritance,
  getTag,
  haveTagsChanged,
  listTagged,
  listTaggedRpms,
} from '../../../src/upstream/koji/hub-tags.ts';
import { KojiHub } from '../../../src/upstream/koji/hub.ts';
import { startHubServer } from './hub-server.ts';
import { StateHub } from './state-hub.ts';

// What every hub must do for this client. KOJI_HUB and KOJI_TAG point it at a real one, which is only read.
const realHub = process.env['KOJI_HUB'];

/** A hub whose tag has parents, a block, a signature and a change under way. */
function hubWithParents(): StateHub {
  const made = new StateHub({ content: 'empty' });
  made.addTag('f44');
  made.addTag('f44-updates', { parents: ['f44'] });
  for (const nvr of ['kappa-1-1', 'kappa-2-1', 'lambda-1-1']) {
    made.importBuild(nvr);
    made.now += 10;
    made.tag('f44', nvr);
  }
  made.blockPackage('f44-updates', 'lambda');
  made.importSigned('kappa-2-1', 'aabbccdd');
  made.begin().tag('f44-updates', 'kappa-1-1');
  return made;
}

interface ContractHub {
  readonly name: string;
  readonly tag: string;
  readonly hub: KojiHub;
}

async function serve(name: string, tag: string, stateHub: StateHub): Promise<ContractHub> {
  const server = await startHubServer(stateHub.answer);
  after(() => server.close());
  return { name, tag, hub: new KojiHub({ url: server.url }) };
}

const hubs: readonly ContractHub[] =
  realHub === undefined
    ? [
        await serve('the recorded state', 'f-small', new StateHub()),
        await serve('a tag with parents', 'f44-updates', hubWithParents()),
      ]
    : [{ name: realHub, tag: process.env['KOJI_TAG'] ?? '', hub: new KojiHub({ url: realHub }) }];

after(() => {
  for (const { hub } of hubs) hub.close();
});

/** Tests one thing on every hub. */
function testEach(title: string, work: (each: ContractHub) => Promise<void>): void {
  for (const each of hubs) test(`${title} (${each.name})`, () => work(each));
}

testEach('the last event can be asked for again by its number', async ({ hub }) => {
  const last = await getLastEvent(hub);
  assert.ok(last !== null && last.id > 0 && last.at > 1e12);
  assert.deepEqual(await getEvent(hub, last.id), last);
  assert.equal(await getEvent(hub, last.id + 1_000_000), null);
  const before = await getLastEvent(hub, { before: last.at - 1000 });
  assert.ok(before === null || before.id < last.id);
});

testEach('a tag has an id, an inheritance and a history', async ({ hub, tag }) => {
  const found = await getTag(hub, tag);
  assert.equal(found?.name, tag);
  assert.equal(await getTag(hub, 'no-such-tag-at-all'), null);
  const parents = await getFullInheritance(hub, tag);
  await assert.rejects(getFullInheritance(hub, 'no-such-tag-at-all'), { code: 'koji.tag_unknown' });
  const last = await getLastEvent(hub);
  assert.ok(last !== null && found !== null);
  const tree = [found.id, ...parents.map((parent) => parent.tagId)];
  assert.equal(await haveTagsChanged(hub, last.id + 1_000_000, tree), false);
  const range = { afterEvent: last.id - 1000, tag };
  for (const happening of await queryTagHistory(hub, range)) assert.ok(happening.event > range.afterEvent);
  const changes = await queryContentChanges(hub, { ...range, upToEvent: last.id, tagIds: tree });
  assert.deepEqual(changes, [...changes].sort());
});

testEach('the content of a tag at an event is whole and repeatable', async ({ hub, tag }) => {
  const last = await getLastEvent(hub);
  assert.ok(last !== null);
  const query = { tag, event: last.id, inherit: true };
  const content = await listTaggedRpms(hub, query);
  assert.ok(content.rpms.length > 0 && content.rpms.every((rpm) => content.builds.has(rpm.buildId)));
  const again = await listTaggedRpms(hub, query);
  const ids = (rpms: typeof content.rpms): number[] => rpms.map((rpm) => rpm.id).sort((a, b) => a - b);
  assert.deepEqual(ids(again.rpms), ids(content.rpms));
  const [build] = content.builds.values();
  assert.ok(build !== undefined);
  const [known] = await getBuildsWithRpms(hub, [build.nvr]);
  assert.equal(known?.build.id, build.id);
  const own = content.rpms.filter((rpm) => rpm.buildId === build.id).map((rpm) => rpm.id);
  assert.ok(own.every((id) => known?.rpms.some((rpm) => rpm.id === id)));
  const binary = known?.rpms.filter(({ arch }) => arch !== 'src').map(({ name }) => name) ?? [];
  const names = await binaryNamesOf(hub, [build.nvr, 'no-such-build-at-all-1-1']);
  assert.deepEqual(
    [...names],
    [[build.nvr, [...new Set(binary)].filter((name) => !/-debug/.test(name)).sort()]],
  );
  const narrowed = await listTaggedRpms(hub, { ...query, package: build.packageName });
  assert.deepEqual([...narrowed.builds.keys()], [build.id]);
  assert.equal((await querySigkeys(hub, own)).size, own.length);
  assert.ok((await listTagged(hub, query)).some((entry) => entry.id === build.id));
});

testEach('what does not exist is told in plain words', async ({ hub }) => {
  await assert.rejects(listTaggedRpms(hub, { tag: 'no-such-tag-at-all', inherit: true }), {
    message: 'Unknown Koji tag no-such-tag-at-all.',
  });
  await assert.rejects(getBuilds(hub, ['no-such-build-at-all-1-1']), { code: 'koji.build_unknown' });
  await assert.rejects(getBuilds(hub, ['nonsense']), { code: 'koji.build_unknown' });
});

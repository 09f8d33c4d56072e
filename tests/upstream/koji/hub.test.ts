import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { getBuilds, getRpmChecksums, querySigkeys } from '../../../src/upstream/koji/hub-builds.ts';
import { getEvent, getLastEvent, queryTagHistory } from '../../../src/upstream/koji/hub-events.ts';
import {
  getFullInheritance,
  getTag,
  haveTagsChanged,
  listTagged,
  listTaggedRpms,
} from '../../../src/upstream/koji/hub-tags.ts';
import { getScratchRpms } from '../../../src/upstream/koji/hub-tasks.ts';
import { KojiHub, type HubPatience } from '../../../src/upstream/koji/hub.ts';
import {
  startHubServer,
  ServedFault,
  type HubServer,
  type ServedAnswer,
  type ServedCall,
} from './hub-server.ts';
import { recordedHub } from './recorded-hub.ts';

const servers: HubServer[] = [];
const hubs: KojiHub[] = [];

after(async () => {
  for (const hub of hubs) hub.close();
  for (const server of servers) await server.close();
});

async function start(
  answer: (call: ServedCall) => ServedAnswer,
  options: { readonly gzip?: boolean; readonly patience?: Partial<HubPatience> } = {},
): Promise<{ hub: KojiHub; server: HubServer; waits: number[] }> {
  const server = await startHubServer(answer, options);
  const waits: number[] = [];
  const hub = new KojiHub({
    url: server.url,
    ...(options.patience === undefined ? {} : { patience: options.patience }),
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
  });
  servers.push(server);
  hubs.push(hub);
  return { hub, server, waits };
}

const event = (): ServedAnswer => ({ value: { id: 7, ts: 12.5 } });

const isCode =
  (code: string) =>
  (error: unknown): boolean => {
    assert.equal(error instanceof Error && 'code' in error ? error.code : error, code);
    return true;
  };

test('the recorded hub answers typed tags, events, builds, signatures, checksums and tasks', async () => {
  const { hub } = await start(recordedHub());
  assert.deepEqual(await getTag(hub, 'f42'), {
    id: 1,
    name: 'f42',
    arches: ['x86_64', 'i686'],
    isLocked: true,
  });
  assert.equal(await getTag(hub, 'no-such-tag'), null);
  assert.equal((await getLastEvent(hub))?.id, 5140);
  assert.equal(await getEvent(hub, 999_999), null);
  const builds = await getBuilds(hub, ['mini-curl-8.9.1-2.fc42']);
  assert.deepEqual([builds[0]?.packageName, builds[0]?.volume], ['mini-curl', 'DEFAULT']);
  const parents = await getFullInheritance(hub, 't-multi');
  assert.ok(parents.length > 2 && parents.every((parent) => parent.name.startsWith('f42')));
  await assert.rejects(getFullInheritance(hub, 'no-such-tag'), isCode('koji.tag_unknown'));
  assert.equal(await haveTagsChanged(hub, 63, [3]), true);
  assert.deepEqual((await querySigkeys(hub, [3])).get(3)?.length, 2);
  assert.match((await getRpmChecksums(hub, [3]))?.get(3)?.get('ee86b71c') ?? '', /^3f84b6f0/);
  assert.deepEqual(await getScratchRpms(hub, [11]), [
    {
      taskId: 11,
      paths: [
        'work/tasks/12/12/mini-tools-extra-1.1-1.fc42.noarch.rpm',
        'work/tasks/12/12/mini-tools-1.1-1.fc42.x86_64.rpm',
        'work/tasks/12/12/mini-tools-1.1-1.fc42.src.rpm',
      ],
    },
  ]);
});

test('a tag lists what Pungi sees in it, plain and compressed', async () => {
  for (const gzip of [false, true]) {
    const { hub } = await start(recordedHub(), { gzip });
    const content = await listTaggedRpms(hub, { tag: 'f42-updates', event: 63, inherit: true });
    assert.equal(content.rpms.length, 45);
    assert.equal(content.builds.size, 10);
    const curl = content.rpms.find((rpm) => rpm.name === 'libmini-curl');
    assert.deepEqual(
      [curl?.epoch, curl?.version, curl?.payloadHash],
      ['0', '8.11.0', 'a61d6ccf93e926a25759c912a992ee69'],
    );
  }
});

test('the tag of 50,000 RPMs arrives whole', async () => {
  const { hub } = await start(recordedHub());
  const content = await listTaggedRpms(hub, { tag: 'big', inherit: true });
  assert.equal(content.rpms.length, 50_000);
  assert.equal(content.builds.size, 5000);
  assert.ok(
    content.rpms.some((rpm) => rpm.size > 2 ** 31),
    'a size beyond 32 bits',
  );
});

test('an unknown tag is named, in the words of the clients', async () => {
  const { hub } = await start((call) => {
    if (call.method === 'getTag') return { value: null };
    throw new ServedFault(1000, 'No such tagInfo');
  });
  await assert.rejects(listTaggedRpms(hub, { tag: 'f99', inherit: true }), {
    code: 'koji.tag_unknown',
    message: 'Unknown Koji tag f99.',
  });
});

test('a hub that knows no drafts is asked without the keyword', async () => {
  const { hub, server } = await start((call) => {
    if ('draft' in call.keywords) throw new ServedFault(1019, 'unexpected keyword');
    return { value: [] };
  });
  assert.deepEqual(await listTagged(hub, { tag: 'f42', inherit: true }), []);
  assert.equal(server.calls.length, 2);
});

test('drafts, RPMs without a file and doubled rows are left out', async () => {
  const rpm = {
    epoch: null,
    version: '1',
    release: '1',
    arch: 'noarch',
    size: 1,
    payloadhash: 'a',
    metadata_only: false,
  };
  const build = {
    package_name: 'a',
    version: '1',
    release: '1',
    epoch: null,
    nvr: 'a-1-1',
    volume_name: 'DEFAULT',
  };
  const { hub } = await start(() => ({
    value: [
      [
        { ...rpm, id: 1, build_id: 1, name: 'a' },
        { ...rpm, id: 1, build_id: 1, name: 'a' },
        { ...rpm, id: 2, build_id: 2, name: 'draft' },
        { ...rpm, id: 3, build_id: 1, name: 'no-file', metadata_only: true },
      ],
      [
        { ...build, build_id: 1, draft: false },
        { ...build, build_id: 2, draft: true },
      ],
    ],
  }));
  const content = await listTaggedRpms(hub, { tag: 'f42', inherit: true });
  assert.deepEqual(
    content.rpms.map((rpm) => rpm.name),
    ['a'],
  );
  assert.deepEqual([...content.builds.keys()], [1]);
});

test('an offline hub is waited for, longer each time, and given up with a retry', async () => {
  const { hub, server, waits } = await start(event, { patience: { offlineMs: 10_000 } });
  for (let i = 0; i < 3; i += 1) server.troubles.push({ kind: 'fault', code: 1014, text: 'database outage' });
  assert.equal((await getLastEvent(hub))?.id, 7);
  assert.deepEqual(waits, [500, 500, 1000]);
  for (let i = 0; i < 20; i += 1)
    server.troubles.push({ kind: 'fault', code: 1014, text: 'database outage' });
  await assert.rejects(getLastEvent(hub), { code: 'koji.hub_offline', fate: 'retry' });
});

test('an exception in the hub is tried three times, any other fault once', async () => {
  const { hub, server } = await start(event);
  for (let i = 0; i < 3; i += 1)
    server.troubles.push({ kind: 'fault', code: 1, text: 'Traceback\n  x\nValueError: y' });
  await assert.rejects(getLastEvent(hub), {
    code: 'koji.hub_exception',
    message: 'The Koji hub failed inside getLastEvent: ValueError: y',
  });
  assert.equal(server.requests.count, 3);
  server.troubles.push({ kind: 'fault', code: 1000, text: 'no' });
  await assert.rejects(getLastEvent(hub), isCode('koji.fault'));
  assert.equal(server.requests.count, 4);
});

test('an answer cut in the middle is asked for again, and its rows are not doubled', async () => {
  const { hub, server } = await start(recordedHub());
  server.troubles.push({ kind: 'cut', afterBytes: 40_000 }, { kind: 'cut', afterBytes: 60_000 });
  const content = await listTaggedRpms(hub, { tag: 'f42-updates', event: 63, inherit: true });
  assert.equal(content.rpms.length, 45);
  for (let i = 0; i < 6; i += 1) server.troubles.push({ kind: 'cut', afterBytes: 100 });
  await assert.rejects(
    listTaggedRpms(hub, { tag: 'f42-updates', event: 63, inherit: true }),
    isCode('koji.answer_cut'),
  );
});

test('a connection that broke is tried once more at once, and from then on after a wait', async () => {
  const { hub, server, waits } = await start(event);
  server.troubles.push({ kind: 'cut', afterBytes: 10 });
  assert.equal((await getLastEvent(hub))?.id, 7);
  assert.deepEqual([server.requests.count, waits], [2, []]);
  for (let count = 0; count < 3; count += 1) server.troubles.push({ kind: 'cut', afterBytes: 10 });
  assert.equal((await getLastEvent(hub))?.id, 7);
  assert.deepEqual(waits, [500, 1000]);
});

test('a 502 of a proxy is tried again; a page that is no hub is told as such', async () => {
  const { hub, server, waits } = await start(event);
  const page = '<html><body><h1>502 Bad Gateway</h1></body></html>';
  server.troubles.push({ kind: 'status', status: 502, body: page });
  assert.equal((await getLastEvent(hub))?.id, 7);
  assert.deepEqual(waits, [500]);
  for (let i = 0; i < 6; i += 1) server.troubles.push({ kind: 'status', status: 502, body: page });
  await assert.rejects(getLastEvent(hub), {
    code: 'koji.hub_unavailable',
    message: 'A proxy before the Koji hub answered 502: 502 Bad Gateway',
  });
  for (let i = 0; i < 6; i += 1) server.troubles.push({ kind: 'html' });
  await assert.rejects(getLastEvent(hub), isCode('koji.answer_malformed'));
  server.troubles.push({ kind: 'status', status: 404, body: 'Not Found' });
  await assert.rejects(getLastEvent(hub), isCode('koji.hub_refused'));
});

test('a kept connection that the hub closed is replaced at once and counts as no try', async () => {
  const { hub, server, waits } = await start(event, { patience: { tries: 1 } });
  await getLastEvent(hub);
  server.troubles.push({ kind: 'reset' });
  assert.equal((await getLastEvent(hub))?.id, 7);
  assert.deepEqual(waits, []);
  server.troubles.push({ kind: 'reset' }, { kind: 'reset' });
  await assert.rejects(getLastEvent(hub), isCode('koji.hub_unreachable'));
});

test('calls one after the other share a connection', async () => {
  const { hub, server } = await start(event);
  for (let count = 0; count < 3; count += 1) await getLastEvent(hub);
  assert.deepEqual([server.requests.count, server.connections.count], [3, 1]);
});

for (const first of [{ kind: 'reset' }, { kind: 'cut', afterBytes: 10 }] as const) {
  test(`after a ${first.kind} no other kept connection is tried, which may have ended as well`, async () => {
    const { hub, server } = await start(event, { patience: { tries: first.kind === 'reset' ? 1 : 2 } });
    await Promise.all([getLastEvent(hub), getLastEvent(hub)]);
    assert.equal(server.connections.count, 2);
    server.troubles.push(first, { kind: 'reset' });
    await assert.rejects(getLastEvent(hub), isCode('koji.hub_unreachable'));
    assert.deepEqual([server.requests.count, server.connections.count], [4, 3]);
  });
}

test('a silent hub is given up', async () => {
  const { hub, server } = await start(event, { patience: { silenceMs: 20, tries: 1 } });
  server.troubles.push({ kind: 'silence' });
  await assert.rejects(getLastEvent(hub), isCode('koji.hub_silent'));
});

test('a call can be given up by its signal', async () => {
  const { hub, server } = await start(event);
  server.troubles.push({ kind: 'silence' });
  const controller = new AbortController();
  const call = getLastEvent(hub, { signal: controller.signal });
  setImmediate(() => controller.abort());
  await assert.rejects(call, { name: 'AbortError' });
});

test('wrong types are errors that name the call and the member', async () => {
  const { hub } = await start((call) => {
    if (call.method === 'getLastEvent') return { value: { id: 'seven', ts: 1 } };
    if (call.method === 'listTaggedRPMS') return { value: [[{ id: 1 }], []] };
    return { value: 5 };
  });
  await assert.rejects(getLastEvent(hub), {
    code: 'koji.answer_unexpected',
    message: 'The Koji hub answered "seven" where an integer belongs: getLastEvent, member id.',
  });
  await assert.rejects(
    listTaggedRpms(hub, { tag: 'f42', inherit: true }),
    /listTaggedRPMS of tag f42, member/,
  );
  await assert.rejects(getTag(hub, 'f42'), isCode('koji.answer_unexpected'));
  await assert.rejects(querySigkeys(hub, [1]), isCode('koji.answer_unexpected'));
});

test('builds that are unknown, deleted, unfinished or no NVR at all are told apart', async () => {
  const { hub } = await start((call) => {
    const [nvr] = call.args;
    if (nvr === 'nonsense') throw new ServedFault(1000, 'Invalid NVR');
    if (nvr === 'gone-1-1')
      return { value: { id: 1, package_name: 'gone', version: '1', release: '1', state: 2 } };
    if (nvr === 'busy-1-1')
      return { value: { id: 1, package_name: 'busy', version: '1', release: '1', state: 0 } };
    return { value: null };
  });
  await assert.rejects(getBuilds(hub, ['none-1-1']), {
    code: 'koji.build_unknown',
    message: 'Unknown Koji build none-1-1.',
  });
  await assert.rejects(getBuilds(hub, ['nonsense']), isCode('koji.build_unknown'));
  await assert.rejects(getBuilds(hub, ['gone-1-1']), isCode('koji.build_deleted'));
  await assert.rejects(getBuilds(hub, ['busy-1-1']), { code: 'koji.build_incomplete', fate: 'retry' });
});

test('a multicall is split, and each entry keeps its own fault', async () => {
  const { hub, server } = await start((call) => {
    if (call.args[0] === 3) throw new ServedFault(1000, 'no');
    return { value: [{ sigkey: String(call.args[0]) }] };
  });
  const calls = [1, 2, 3, 4, 5].map((id) => ({ method: 'queryRPMSigs', args: [id] }));
  const results = await hub.multicall(calls, { batch: 2 });
  assert.equal(server.requests.count, 3);
  assert.deepEqual(
    results.map((result) => result instanceof Error),
    [false, false, true, false, false],
  );
});

test('history is split into happenings and ordered by event', async () => {
  const { hub } = await start(recordedHub());
  const happenings = await queryTagHistory(hub, { afterEvent: 50, tag: 'f42-updates-candidate' });
  assert.ok(
    happenings.some(
      (happening) => happening.kind === 'tagged' && happening.name === 'mini-curl' && happening.event === 51,
    ),
  );
  assert.ok(happenings.some((happening) => happening.kind === 'untagged'));
  const events = happenings.map((happening) => happening.event);
  assert.deepEqual(
    events,
    [...events].sort((left, right) => left - right),
  );
  assert.ok(events.every((event) => event > 50));
});

test('a hub that was asked in vain is left alone for a while: whoever asks next is told at once', async () => {
  const { hub, server } = await start(event, { patience: { tries: 2, restMs: 3_600_000 } });
  server.troubles.push(
    { kind: 'status', status: 503, body: 'down' },
    { kind: 'status', status: 503, body: 'down' },
  );
  await assert.rejects(getLastEvent(hub), isCode('koji.hub_unavailable'));
  const asked = server.calls.length;
  await assert.rejects(getLastEvent(hub), isCode('koji.hub_unavailable'));
  assert.equal(server.calls.length, asked, 'nothing was asked');
  const patient = await start(event, { patience: { tries: 1 } });
  patient.server.troubles.push({ kind: 'status', status: 503, body: 'down' });
  await assert.rejects(getLastEvent(patient.hub), isCode('koji.hub_unavailable'));
  assert.equal((await getLastEvent(patient.hub))?.id, 7, 'without a rest it is asked anew');
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { kojiState } from '../../src/rules/koji-state.ts';
import { KojiHub } from '../../src/upstream/koji/hub.ts';
import type { XmlRpcValue } from '../../src/upstream/koji/xml-rpc-value.ts';
import { startHubServer, type ServedCall } from '../upstream/koji/hub-server.ts';
import { recordedHub } from '../upstream/koji/recorded-hub.ts';

const recorded = recordedHub();

/** What a hub says while two builds run, one for f42 and one elsewhere; for the rest the recorded hub answers. */
const underWay: Readonly<Record<string, XmlRpcValue>> = {
  listBuilds: [
    { nvr: 'mini-vim-9.2-1.fc42', task_id: 901 },
    { nvr: 'mini-else-1-1.fc43', task_id: 902 },
    { nvr: 'mini-import-1-1', task_id: null },
  ],
};

/** A build that the recordings know the RPMs of, and one of these the signatures of. */
const bash = 'mini-bash-5.2.37-1.fc42';
/** Signatures of its other RPMs; a hub tells an empty key for the unsigned header. */
const otherKeys = new Map<number, string[]>();

function answer(call: ServedCall) {
  const [first] = call.args;
  if (call.method === 'getTag' && first === 'f42-updates') {
    return { value: { ...Object(value({ ...call, args: ['f42-build'] })), name: first } };
  }
  // Recorded with the hub's own default of `inherit`.
  if (call.method === 'listTagged' || call.method === 'listTaggedRPMS') {
    return recorded({ ...call, keywords: { latest: true } });
  }
  if (call.method === 'getBuild' && first === bash) {
    const other = value({ ...call, args: ['mini-curl-8.9.1-2.fc42'] });
    const own = { id: 1, build_id: 1, name: 'mini-bash', package_name: 'mini-bash', nvr: bash };
    return { value: { ...Object(other), ...own, version: '5.2.37', release: '1.fc42' } };
  }
  if (call.method === 'queryRPMSigs' && first !== 3) {
    const keys = otherKeys.get(Number(first)) ?? [''];
    return { value: keys.map((sigkey) => ({ rpm_id: Number(first), sigkey, sighash: '' })) };
  }
  // Not recorded: when the last change of the tag happened.
  if (call.method === 'getEvent') return { value: { id: Number(first), ts: 1_760_000_000 } };
  const known = underWay[call.method];
  if (known !== undefined) return { value: known };
  const [task] = call.args;
  if (call.method === 'getTaskInfo' && (task === 901 || task === 902)) {
    return { value: { id: task, request: ['git+https://x', task === 901 ? targetName : 'elsewhere', {}] } };
  }
  return recorded(call);
}

function value(call: ServedCall): XmlRpcValue {
  const answered = recorded(call);
  return 'value' in answered ? answered.value : assert.fail('a large answer');
}

const server = await startHubServer(answer);
const hub = new KojiHub({ url: server.url });
after(async () => {
  hub.close();
  await server.close();
});
const koji = kojiState(hub);
const targets = await hub.call('getBuildTargets');
const [target] = Array.isArray(targets) ? targets : [];
const { name: targetName, dest_tag_name: destination } = readTarget(target);

function readTarget(value: unknown): { readonly name: string; readonly dest_tag_name: string } {
  if (typeof value !== 'object' || value === null) return assert.fail('no target was recorded');
  const entries = new Map(Object.entries(value));
  return { name: String(entries.get('name')), dest_tag_name: String(entries.get('dest_tag_name')) };
}

test('the last change of a tag is the event that the real hub told', async () => {
  const state = await koji.tagState('f42-build');
  assert.ok(state.kind === 'changed' && state.event > 0);
  assert.ok(state.at > new Date('2020-01-01T00:00:00Z'));
  assert.deepEqual(await koji.tagState('no-such-tag'), { kind: 'gone' });
});

test('only builds whose target leads into the tag are open for it', async () => {
  assert.deepEqual(await koji.openBuilds(destination), ['mini-vim-9.2-1.fc42']);
  assert.deepEqual(await koji.openBuilds('no-target-leads-here'), []);
});

test('the packages of a tag are those of its latest builds; a tag that is not there has none', async () => {
  assert.deepEqual(await koji.packagesOfTag('f42-updates'), new Set(['mini-curl']));
  assert.equal(await koji.packagesOfTag('no-such-tag'), null);
  const asked = server.calls.find(({ method }) => method === 'listTagged');
  assert.equal(asked?.keywords['inherit'], false, 'what a tag inherits is not in it');
});

test('a build is signed when all its RPMs are, by one of the keys where some are named', async () => {
  assert.deepEqual(
    await koji.unsignedBuilds([bash], []),
    [bash],
    'the unsigned headers of two RPMs do not count',
  );
  otherKeys.set(1, ['', 'ee86b71c']);
  assert.deepEqual(await koji.unsignedBuilds([bash], []), [bash]);
  otherKeys.set(2, ['', 'aabbccdd']);
  assert.deepEqual(await koji.unsignedBuilds([bash], []), []);
  assert.deepEqual(await koji.unsignedBuilds([bash], ['EE86B71C']), [bash], 'one RPM has another key');
  assert.deepEqual(await koji.unsignedBuilds([bash], ['ee86b71c', 'aabbccdd']), []);
  assert.deepEqual(await koji.unsignedBuilds([], []), []);
});

test('the builds of a tag are counted, and those with an RPM that is not signed are named', async () => {
  const curl = 'mini-curl-8.11.0-1.fc42';
  const before = server.calls.length;
  assert.deepEqual(await koji.signaturesOfTag('f42-updates', []), { builds: 1, unsigned: [curl] });
  const ids = server.calls
    .slice(before)
    .flatMap(({ method, args }) => (method === 'queryRPMSigs' ? [Number(args[0])] : []));
  assert.ok(ids.length > 2, 'all its RPMs are asked for');
  for (const id of ids.slice(1)) otherKeys.set(id, ['', 'ee86b71c']);
  assert.deepEqual((await koji.signaturesOfTag('f42-updates', []))?.unsigned, [curl], 'one is missing');
  for (const id of ids) otherKeys.set(id, ['', 'ee86b71c']);
  assert.deepEqual(await koji.signaturesOfTag('f42-updates', []), { builds: 1, unsigned: [] });
  assert.deepEqual((await koji.signaturesOfTag('f42-updates', ['aabbccdd']))?.unsigned, [curl]);
  assert.equal(await koji.signaturesOfTag('no-such-tag', []), null);
  const asked = server.calls.find(({ method }) => method === 'listTaggedRPMS');
  assert.deepEqual([asked?.keywords['inherit'], asked?.keywords['latest']], [false, true]);
});

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

function answer(call: ServedCall) {
  const known = underWay[call.method];
  if (known !== undefined) return { value: known };
  const [task] = call.args;
  if (call.method === 'getTaskInfo' && (task === 901 || task === 902)) {
    return { value: { id: task, request: ['git+https://x', task === 901 ? targetName : 'elsewhere', {}] } };
  }
  return recorded(call);
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
  const event = await koji.tagLastChange('f42-build');
  assert.ok(event !== null && event > 0);
  assert.equal(await koji.tagLastChange('no-such-tag'), null);
});

test('only builds whose target leads into the tag are open for it', async () => {
  assert.deepEqual(await koji.openBuilds(destination), ['mini-vim-9.2-1.fc42']);
  assert.deepEqual(await koji.openBuilds('no-target-leads-here'), []);
});

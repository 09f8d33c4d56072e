import { getBuildsWithRpms, querySigkeys } from '../upstream/koji/hub-builds.ts';
import { getEvent } from '../upstream/koji/hub-events.ts';
import { FAULT_GENERIC, KojiFault } from '../upstream/koji/hub-fault.ts';
import { HubRow, rowsOf, unexpected } from '../upstream/koji/hub-row.ts';
import { getTag, listTagged, listTaggedRpms } from '../upstream/koji/hub-tags.ts';
import type { KojiHub } from '../upstream/koji/hub.ts';
import { queryTreeChanges } from '../upstream/koji/tag-changes.ts';
import { isArray, type XmlRpcValue } from '../upstream/koji/xml-rpc-value.ts';
import type { KojiState, TagSignatures, TagState } from './require.ts';

const BUILDING = 0;

/** The state checks on Koji, asked of a hub each time anew. */
export function kojiState(hub: KojiHub): KojiState {
  return {
    packagesOfTag: async (tag) => {
      if ((await getTag(hub, tag)) === null) return null;
      const builds = await listTagged(hub, { tag, inherit: false, latest: true });
      return new Set(builds.map(({ packageName }) => packageName));
    },
    openBuilds: (tag) => findOpenBuilds(hub, tag),
    unsignedBuilds: (nvrs, keys) => findUnsigned(hub, nvrs, keys),
    signaturesOfTag: (tag, keys) => findSignatures(hub, tag, keys),
    isTagThere: async (tag) => (await getTag(hub, tag)) !== null,
    tagState: (tag) => findTagState(hub, tag),
    changesOfTag: (tag, afterEvent) => queryTreeChanges(hub, { tag, afterEvent }),
  };
}

/** Builds under way whose target puts them into the tag. Scratch builds have no build to be listed. */
async function findOpenBuilds(hub: KojiHub, tag: string): Promise<readonly string[]> {
  const targets = rowsOf(await hub.call('getBuildTargets'), 'getBuildTargets').map(
    (row) => new HubRow(row, 'getBuildTargets'),
  );
  const names = new Set(
    targets.filter((row) => row.text('dest_tag_name') === tag).map((row) => row.text('name')),
  );
  if (names.size === 0) return [];
  const builds = rowsOf(await hub.call('listBuilds', [], { state: BUILDING }), 'listBuilds')
    .map((row) => new HubRow(row, 'listBuilds'))
    .flatMap((row) => {
      const task = row.integerOrNull('task_id');
      return task === null ? [] : [{ nvr: row.text('nvr'), task }];
    });
  const tasks = await hub.multicall(
    builds.map(({ task }) => ({ method: 'getTaskInfo', args: [task], keywords: { request: true } })),
  );
  return builds.filter((_build, index) => names.has(targetOf(tasks[index]))).map(({ nvr }) => nvr);
}

/** The target of a build task: the second member of its request. */
function targetOf(answer: XmlRpcValue | KojiFault | undefined): string {
  if (answer instanceof KojiFault) throw answer;
  if (answer === undefined || answer === null) return '';
  const request = new HubRow(answer, 'getTaskInfo').value('request');
  const target = isArray(request) ? request[1] : null;
  return typeof target === 'string' ? target : '';
}

/** Builds with an RPM that has none of the keys; without keys, with an RPM that has no signature at all. */
async function findUnsigned(
  hub: KojiHub,
  nvrs: readonly string[],
  keys: readonly string[],
): Promise<readonly string[]> {
  const contents = await getBuildsWithRpms(hub, nvrs);
  const sigkeys = await querySigkeys(
    hub,
    contents.flatMap(({ rpms }) => rpms.map(({ id }) => id)),
  );
  const isSigned = signedBy(sigkeys, keys);
  return contents.filter(({ rpms }) => !rpms.every(({ id }) => isSigned(id))).map(({ build }) => build.nvr);
}

async function findSignatures(
  hub: KojiHub,
  tag: string,
  keys: readonly string[],
): Promise<TagSignatures | null> {
  if ((await getTag(hub, tag)) === null) return null;
  const { rpms, builds } = await listTaggedRpms(hub, { tag, inherit: false, latest: true });
  const sigkeys = await querySigkeys(
    hub,
    rpms.map(({ id }) => id),
  );
  const isSigned = signedBy(sigkeys, keys);
  const unsigned = new Set(rpms.filter(({ id }) => !isSigned(id)).map(({ buildId }) => buildId));
  return {
    builds: builds.size,
    unsigned: [...builds.values()].filter(({ id }) => unsigned.has(id)).map(({ nvr }) => nvr),
  };
}

/** Says of an RPM by its id whether it has one of the keys; without keys, whether it has a signature at all. */
function signedBy(
  sigkeys: ReadonlyMap<number, readonly string[]>,
  keys: readonly string[],
): (rpmId: number) => boolean {
  const wanted = new Set(keys.map((key) => key.toLowerCase()));
  return (id) =>
    (sigkeys.get(id) ?? []).some((key) => key !== '' && (wanted.size === 0 || wanted.has(key.toLowerCase())));
}

/** Source: Koji contract 2.2. A tag that was removed still has a last change, so the tag itself is asked for first. */
async function findTagState(hub: KojiHub, tag: string): Promise<TagState> {
  if ((await getTag(hub, tag)) === null) return { kind: 'gone' };
  try {
    const value = await hub.call('tagLastChangeEvent', [tag]);
    if (value === null) return { kind: 'untold' };
    if (typeof value !== 'number') throw unexpected(`tagLastChangeEvent of ${tag}`, 'an event', value);
    const event = await getEvent(hub, value);
    return event === null ? { kind: 'untold' } : { kind: 'changed', event: event.id, at: new Date(event.at) };
  } catch (error) {
    // A hub that is too old to tell.
    if (error instanceof KojiFault && error.faultCode === FAULT_GENERIC) return { kind: 'untold' };
    throw error;
  }
}

import { ReactorError } from '../../model/errors.ts';
import { FAULT_GENERIC, KojiFault } from './hub-fault.ts';
import { HubRow, rowsOf } from './hub-row.ts';
import type { CallOptions, HubCall, KojiHub } from './hub.ts';
import { readBuild, readRpm, type KojiBuild, type KojiRpm } from './koji-build.ts';
import { isStruct, type XmlRpcValue } from './xml-rpc-value.ts';

/** A build with its RPMs that have files. */
export interface BuildContent {
  readonly build: KojiBuild;
  readonly rpms: readonly KojiRpm[];
}

/** SHA-256 of the copies of one RPM by sigkey; `''` is the primary copy. */
export type RpmChecksums = ReadonlyMap<string, string>;

/**
 * Builds by NVR or id in the order asked for, each with its RPMs. Throws `koji.build_unknown`,
 * `koji.build_deleted`, `koji.build_incomplete`, naming the NVR.
 */
export async function getBuildsWithRpms(
  hub: KojiHub,
  nvrs: readonly string[],
  options: CallOptions = {},
): Promise<readonly BuildContent[]> {
  const builds = await getBuilds(hub, nvrs, options);
  const answers = await hub.multicall(
    builds.map((build) => ({ method: 'listBuildRPMs', args: [build.id] })),
    options,
  );
  return builds.map((build, index) => {
    const answer = answers[index];
    if (answer instanceof KojiFault) throw answer;
    const about = `listBuildRPMs of ${build.nvr}`;
    const rpms = rowsOf(answer, about).map((row) => readRpm(row, about));
    return { build, rpms: rpms.filter((rpm) => rpm !== null) };
  });
}

/**
 * Builds by NVR in the order asked for. Throws `koji.build_unknown`, `koji.build_deleted`,
 * `koji.build_incomplete`, naming the NVR.
 */
export async function getBuilds(
  hub: KojiHub,
  nvrs: readonly string[],
  options: CallOptions = {},
): Promise<readonly KojiBuild[]> {
  const answers = await hub.multicall(
    nvrs.map((nvr) => ({ method: 'getBuild', args: [nvr] })),
    options,
  );
  return nvrs.map((nvr, index) => {
    const answer = answers[index] ?? null;
    if (answer instanceof KojiFault && answer.faultCode !== FAULT_GENERIC) throw answer;
    // What cannot be read as an NVR is a fault even to a lenient getBuild.
    if (answer === null || answer instanceof KojiFault) throw buildUnknown(hub, nvr);
    return usable(hub, readBuild(answer, `getBuild of ${nvr}`));
  });
}

function buildUnknown(hub: KojiHub, nvr: string): ReactorError {
  return new ReactorError('koji.build_unknown', `Unknown Koji build ${nvr}.`, {
    where: hub.url,
    hint: 'Write the name-version-release as Koji shows it, without epoch and arch.',
  });
}

function usable(hub: KojiHub, build: KojiBuild): KojiBuild {
  switch (build.state) {
    case 'complete':
      return build;
    case 'deleted':
      throw new ReactorError('koji.build_deleted', `The Koji build ${build.nvr} was deleted.`, {
        where: hub.url,
      });
    case 'building':
      throw new ReactorError('koji.build_incomplete', `The Koji build ${build.nvr} is not complete yet.`, {
        where: hub.url,
        fate: 'retry',
      });
    case 'failed':
    case 'canceled':
      throw new ReactorError('koji.build_incomplete', `The Koji build ${build.nvr} is ${build.state}.`, {
        where: hub.url,
      });
    default:
      return build.state satisfies never;
  }
}

/** Returns who owns a build, or null where the hub does not say. */
export async function getBuildOwner(hub: KojiHub, id: number): Promise<string | null> {
  const value = await hub.call('getBuild', [id]);
  return value === null ? null : new HubRow(value, `getBuild of ${id}`).textOrNull('owner_name');
}

/**
 * The keys that the hub has a signature of, for each RPM id. `''` says that the RPM came unsigned. Whether the
 * signed copy was written is another question: only the files tell.
 * Source: Koji contract 4.2.
 */
export async function querySigkeys(
  hub: KojiHub,
  rpmIds: readonly number[],
  options: CallOptions = {},
): Promise<ReadonlyMap<number, readonly string[]>> {
  const answers = await hub.multicall(
    rpmIds.map((id) => ({ method: 'queryRPMSigs', args: [id] })),
    { ...options, batch: 1000 },
  );
  return new Map(
    rpmIds.map((id, index) => {
      const answer = answers[index];
      if (answer instanceof KojiFault) throw answer;
      const about = `queryRPMSigs of RPM ${id}`;
      return [id, rowsOf(answer, about).map((row) => new HubRow(row, about).text('sigkey'))];
    }),
  );
}

/**
 * The digests of the copies of each RPM. An RPM is missing in the answer where the hub cannot tell; null where
 * this hub has no such call. The hub may have to read the files first: ask for what is needed only.
 * Source: Koji contract 4.2.
 */
export async function getRpmChecksums(
  hub: KojiHub,
  rpmIds: readonly number[],
  options: CallOptions = {},
): Promise<ReadonlyMap<number, RpmChecksums> | null> {
  const calls: HubCall[] = rpmIds.map((id) => ({
    method: 'getRPMChecksums',
    args: [id],
  }));
  const answers = await hub.multicall(calls, { ...options, batch: 500 });
  const checksums = new Map<number, RpmChecksums>();
  for (const [index, id] of rpmIds.entries()) {
    const answer = answers[index];
    if (answer instanceof KojiFault) {
      if (/Invalid method/.test(answer.faultText)) return null;
      continue;
    }
    checksums.set(id, readChecksums(answer));
  }
  return checksums;
}

function readChecksums(value: XmlRpcValue | undefined): RpmChecksums {
  const checksums = new Map<string, string>();
  if (!isStruct(value)) return checksums;
  for (const [sigkey, digests] of Object.entries(value)) {
    const sha256 = isStruct(digests) ? digests['sha256'] : undefined;
    if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)) checksums.set(sigkey, sha256);
  }
  return checksums;
}

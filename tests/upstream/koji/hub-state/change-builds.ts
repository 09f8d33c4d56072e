import { hash } from 'node:crypto';
import type { XmlRpcStruct } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { buildStateMessage, signMessage } from './bus-message.ts';
import { requireBuild } from './change-contents.ts';
import type { HubChange } from './hub-change.ts';
import { BUILD_STATE, nvrOf, type BuildStateNumber, type StoredBuild, type StoredRpm } from './hub-rows.ts';
import { makeRpm, payloadHashOf } from './made-up-rpm.ts';

/** A build that is imported. Left out, it has a source RPM and one of x86_64, both of its own name. */
export interface NewBuild {
  readonly id?: number;
  readonly epoch?: number | null;
  readonly owner?: string;
  readonly volume?: string;
  readonly isDraft?: boolean;
  readonly extra?: XmlRpcStruct | null;
  readonly archives?: readonly XmlRpcStruct[];
  readonly rpms?: readonly NewRpm[];
}

/** An RPM of a build; what is left out is the build's. */
export interface NewRpm {
  readonly id?: number;
  readonly name?: string;
  readonly version?: string;
  readonly release?: string;
  readonly epoch?: number | null;
  readonly arch: string;
  readonly requires?: readonly string[];
  /** Given for RPMs whose files are made elsewhere, or that have none. */
  readonly size?: number;
  readonly payloadHash?: string | null;
}

/** Splits an NVR. Throws for what is none. */
export function splitNvr(nvr: string): {
  readonly packageName: string;
  readonly version: string;
  readonly release: string;
} {
  const match = /^(.+)-([^-]+)-([^-]+)$/.exec(nvr);
  if (match === null) throw new Error(`${nvr} is no NVR`);
  const [, packageName = '', version = '', release = ''] = match;
  return { packageName, version, release };
}

function storeBuild(
  change: HubChange,
  nvr: string,
  wanted: NewBuild & { readonly state: BuildStateNumber; readonly taskId: number | null },
): StoredBuild {
  const { tables, hub } = change;
  if (tables.findBuild(nvr) !== undefined) throw new Error(`the hub has a build ${nvr}`);
  const build: StoredBuild = {
    id: tables.takeId('build', wanted.id),
    ...splitNvr(nvr),
    epoch: wanted.epoch ?? null,
    state: wanted.state,
    volume: wanted.volume ?? 'DEFAULT',
    isDraft: wanted.isDraft ?? false,
    owner: wanted.owner ?? change.user,
    taskId: wanted.taskId,
    extra: wanted.extra ?? null,
    archives: wanted.archives ?? [],
    createdBy: change.edit().event,
    createdAt: hub.now(),
    completedAt: wanted.state === BUILD_STATE.complete ? hub.now() : null,
  };
  tables.packageNames.numberOf(build.packageName);
  change.atCommit(() => tables.builds.set(build.id, build));
  return build;
}

/** Brings a finished build with its RPMs into the hub; their files are made where the hub has a top directory. */
export function importBuild(change: HubChange, nvr: string, wanted: NewBuild): void {
  const build = storeBuild(change, nvr, { ...wanted, state: BUILD_STATE.complete, taskId: null });
  storeRpms(change, build, wanted.rpms ?? [{ arch: 'src' }, { arch: 'x86_64' }]);
  change.tell(buildStateMessage(build, null, change.hub.now()));
}

function storeRpms(change: HubChange, build: StoredBuild, rpms: readonly NewRpm[]): void {
  const { tables, hub } = change;
  for (const wanted of rpms) {
    const made = {
      name: wanted.name ?? build.packageName,
      version: wanted.version ?? build.version,
      release: wanted.release ?? build.release,
      epoch: wanted.epoch ?? build.epoch,
      arch: wanted.arch,
      buildTime: Math.floor(hub.now()),
    };
    const sourceRpm = made.arch === 'src' ? null : `${nvrOf(build)}.src.rpm`;
    const file =
      wanted.size === undefined ? makeRpm({ ...made, sourceRpm, requires: wanted.requires ?? [] }) : null;
    const rpm: StoredRpm = {
      ...made,
      id: tables.takeId('rpm', wanted.id),
      buildId: build.id,
      size: wanted.size ?? file?.byteLength ?? 0,
      payloadHash: wanted.payloadHash ?? (file === null ? null : payloadHashOf(file)),
    };
    if (file !== null) hub.files?.write(build, rpm, file);
    change.atCommit(() => {
      tables.rpms.set(rpm.id, rpm);
      tables.signatures.set(rpm.id, new Map([['', hash('md5', `unsigned ${rpm.id}`)]]));
    });
  }
}

/** Begins a build by a task for a target. */
export function startBuild(change: HubChange, nvr: string, target: string): void {
  const { tables, user, hub } = change;
  if (tables.targetNames.find(target) === undefined) throw new Error(`the hub has no target ${target}`);
  const id = tables.takeId('task');
  const request = [`git+https://src.example.org/rpms/${nvr}`, target, {}];
  const task = {
    id,
    parent: null,
    method: 'build',
    arch: 'noarch',
    owner: user,
    request,
    createdAt: hub.now(),
  };
  change.atCommit(() => tables.tasks.set(id, { ...task, state: 1, result: null }));
  const build = storeBuild(change, nvr, { state: BUILD_STATE.building, taskId: id });
  change.tell(buildStateMessage(build, null, hub.now()));
}

const TASK_STATE = { complete: 2, failed: 5, canceled: 3 } as const;

/** Ends a build that was begun; a complete one gets its RPMs. Takes no event. */
export function endBuild(
  change: HubChange,
  nvr: string,
  outcome: 'complete' | 'failed' | 'canceled',
  rpms: readonly NewRpm[],
): void {
  const { tables, hub } = change;
  const build = requireBuild(change, nvr);
  if (build.state !== BUILD_STATE.building) throw new Error(`${nvr} is not being built`);
  if (outcome === 'complete') storeRpms(change, build, rpms);
  const ended = { ...build, state: BUILD_STATE[outcome], completedAt: hub.now() };
  change.atCommit(() => {
    tables.builds.set(build.id, ended);
    const task = tables.tasks.get(build.taskId ?? 0);
    if (task !== undefined) tables.tasks.set(task.id, { ...task, state: TASK_STATE[outcome] });
  });
  change.tell(buildStateMessage(ended, BUILD_STATE.building, hub.now()));
}

/** Deletes a build that is in no tag, with its files. Takes no event: old events lose it too. */
export function deleteBuild(change: HubChange, nvr: string): void {
  const { tables, hub } = change;
  const build = requireBuild(change, nvr);
  if (tables.tagListing.held(({ buildId }) => buildId === build.id) !== undefined) {
    throw new Error(`${nvr} is tagged`);
  }
  const deleted = { ...build, state: BUILD_STATE.deleted };
  change.atCommit(() => {
    tables.builds.set(build.id, deleted);
    hub.files?.removeBuild(build);
  });
  change.tell(buildStateMessage(deleted, build.state, hub.now()));
}

/** Moves a build to another volume; takes an event in each tag that it is in. */
export function moveVolume(change: HubChange, nvr: string, volume: string): void {
  const { tables, hub } = change;
  const build = requireBuild(change, nvr);
  if (!tables.volumes.includes(volume)) tables.volumes.push(volume);
  for (const { content } of tables.tagListing.at(null)) {
    if (content.buildId === build.id) tables.tagUpdates.add({ ...content }, change.edit());
  }
  change.atCommit(() => {
    hub.files?.moveBuild(build, volume);
    tables.builds.set(build.id, { ...build, volume });
  });
}

/** Imports signatures of a key: a message for each RPM, no event, no file. Source: Koji contract 4.2. */
export function importSigned(
  change: HubChange,
  nvr: string,
  sigkey: string,
  arches: readonly string[],
): void {
  const { tables, hub } = change;
  const build = requireBuild(change, nvr);
  for (const rpm of rpmsOfArches(change, build, arches)) {
    const sighash = hash('md5', `${sigkey} ${rpm.id}`);
    change.atCommit(() => {
      const known = tables.signatures.get(rpm.id) ?? new Map<string, string>();
      tables.signatures.set(rpm.id, known.set(sigkey, sighash));
    });
    change.tell(signMessage(tables, { build, rpm, sigkey, sighash, now: hub.now() }));
  }
}

/** Writes the files of signatures that are imported: no event, no message. */
export function writeSignedCopy(
  change: HubChange,
  nvr: string,
  sigkey: string,
  arches: readonly string[],
): void {
  const { tables, hub } = change;
  const build = requireBuild(change, nvr);
  for (const rpm of rpmsOfArches(change, build, arches)) {
    if (tables.signatures.get(rpm.id)?.has(sigkey) !== true) {
      throw new Error(`${rpm.name}.${rpm.arch} is not signed with ${sigkey}`);
    }
    if (hub.files === null) throw new Error('the hub has no top directory');
    hub.files.writeSigned(build, rpm, sigkey);
  }
}

/** Removes the files of a key; the hub still knows the signatures. */
export function removeSignedCopy(change: HubChange, nvr: string, sigkey: string): void {
  const build = requireBuild(change, nvr);
  for (const rpm of change.tables.rpmsOf(build.id)) change.hub.files?.removeSigned(build, rpm, sigkey);
}

function rpmsOfArches(
  change: HubChange,
  build: StoredBuild,
  arches: readonly string[],
): readonly StoredRpm[] {
  return change.tables.rpmsOf(build.id).filter(({ arch }) => arches.length === 0 || arches.includes(arch));
}

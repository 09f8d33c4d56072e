import type { XmlRpcStruct } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import type { HubTables } from './hub-tables.ts';
import { nvrOf, type StoredBuild, type StoredRpm, type StoredTask } from './hub-rows.ts';
import type { TaggedBuild } from './tag-content.ts';

/** A time as the hub writes it: the fraction is absent when it is zero. Source: Koji contract 1.1. */
export function timeText(seconds: number): string {
  const whole = new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const micros = Math.round((seconds - Math.floor(seconds)) * 1e6);
  return `${whole}${micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`}+00:00`;
}

function timeOrNil(seconds: number | null): string | null {
  return seconds === null ? null : timeText(seconds);
}

function commonBuildRow(tables: HubTables, build: StoredBuild): XmlRpcStruct {
  return {
    id: build.id,
    build_id: build.id,
    name: build.packageName,
    package_name: build.packageName,
    package_id: tables.packageNames.numberOf(build.packageName),
    version: build.version,
    release: build.release,
    epoch: build.epoch,
    nvr: nvrOf(build),
    state: build.state,
    creation_event_id: build.createdBy,
    creation_time: timeText(build.createdAt),
    start_time: timeText(build.createdAt),
    completion_time: timeOrNil(build.completedAt),
    task_id: build.taskId,
    owner_id: tables.userNames.numberOf(build.owner),
    owner_name: build.owner,
    volume_id: tables.volumes.indexOf(build.volume),
    volume_name: build.volume,
    draft: build.isDraft,
    promoter_id: null,
    promoter_name: null,
    promotion_time: null,
  };
}

/** A build as `getBuild` tells it. */
export function buildRow(tables: HubTables, build: StoredBuild): XmlRpcStruct {
  const isModule = build.extra?.['typeinfo'] !== undefined;
  return {
    ...commonBuildRow(tables, build),
    creation_ts: build.createdAt,
    start_ts: build.createdAt,
    completion_ts: build.completedAt,
    promotion_ts: null,
    source: null,
    extra: build.extra,
    cg_id: isModule ? 1 : null,
    cg_name: isModule ? 'module-build-service' : null,
  };
}

/** A build as `listBuilds` tells it. */
export function listedBuildRow(tables: HubTables, build: StoredBuild): XmlRpcStruct {
  const { id: _id, cg_id: _generatorId, cg_name: _generator, ...row } = buildRow(tables, build);
  return row;
}

/** A build as the calls about tags tell it: where and when it was tagged, without `*_ts`. */
export function taggedBuildRow(tables: HubTables, { build, tagId, event }: TaggedBuild): XmlRpcStruct {
  return {
    ...commonBuildRow(tables, build),
    tag_id: tagId,
    tag_name: tables.tagName(tagId),
    create_event: event,
  };
}

/** An RPM as `listTaggedRPMS` tells it. */
export function taggedRpmRow(tables: HubTables, rpm: StoredRpm): XmlRpcStruct {
  return {
    id: rpm.id,
    build_id: rpm.buildId,
    name: rpm.name,
    version: rpm.version,
    release: rpm.release,
    epoch: rpm.epoch,
    arch: rpm.arch,
    size: rpm.size,
    payloadhash: rpm.payloadHash,
    buildtime: rpm.buildTime,
    buildroot_id: null,
    metadata_only: false,
    draft: tables.builds.get(rpm.buildId)?.isDraft ?? false,
    extra: null,
  };
}

/** An RPM as `getRPM` tells it. */
export function rpmRow(tables: HubTables, rpm: StoredRpm): XmlRpcStruct {
  return { ...taggedRpmRow(tables, rpm), external_repo_id: 0, external_repo_name: 'INTERNAL' };
}

/** An RPM as `listRPMs` and `listBuildRPMs` tell it: its NVR beside it. */
export function listedRpmRow(tables: HubTables, rpm: StoredRpm): XmlRpcStruct {
  return { ...rpmRow(tables, rpm), nvr: `${rpm.name}-${rpm.version}-${rpm.release}` };
}

/** A task as `getTaskInfo` tells it without its request. */
export function taskRow(tables: HubTables, task: StoredTask): XmlRpcStruct {
  const isEnded = task.state === 2 || task.state === 3 || task.state === 5;
  const ended = isEnded ? task.createdAt + 1 : null;
  return {
    id: task.id,
    parent: task.parent,
    method: task.method,
    arch: task.arch,
    label: task.parent === null ? null : task.arch,
    owner: tables.userNames.numberOf(task.owner),
    state: task.state,
    create_time: timeText(task.createdAt),
    create_ts: task.createdAt,
    start_time: timeText(task.createdAt),
    start_ts: task.createdAt,
    completion_time: timeOrNil(ended),
    completion_ts: ended,
    awaited: null,
    channel_id: 1,
    host_id: 1,
    priority: task.parent === null ? 20 : 19,
    waiting: null,
    weight: 1.5,
  };
}

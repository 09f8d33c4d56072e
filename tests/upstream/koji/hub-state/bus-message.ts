import { randomUUID } from 'node:crypto';
import type { HubTables } from './hub-tables.ts';
import { nvrOf, type BuildStateNumber, type StoredBuild, type StoredRpm } from './hub-rows.ts';
import { buildRow, rpmRow, timeText } from './told-rows.ts';

/** A message as Fedora's plugin of the hub publishes it. `topic` is the routing key. */
export interface BusMessage {
  readonly topic: string;
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string | number | boolean>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** The AMQP priority; null where the message has none. */
  readonly priority: number | null;
}

interface Draft {
  readonly topic: string;
  /** null: the schema refuses such a body, so it is sent as the generic message. */
  readonly schema: string | null;
  readonly body: Readonly<Record<string, unknown>>;
  readonly users?: readonly string[];
  readonly packages?: readonly string[];
  readonly priority?: number;
  /** Seconds. */
  readonly now: number;
}

const BASE_URL = 'http://koji.example.org';

function message({ topic, schema, body, users = [], packages = [], priority, now }: Draft): BusMessage {
  const flags = [
    ...users.map((user) => `fedora_messaging_user_${user}`),
    ...packages.map((name) => `fedora_messaging_rpm_${name}`),
  ];
  return {
    topic: `org.fedoraproject.prod.buildsys.${topic}`,
    messageId: randomUUID(),
    headers: {
      fedora_messaging_schema: schema === null ? 'base.message' : `koji_fedoramessaging.${schema}`,
      fedora_messaging_schema_package: schema === null ? 'fedora_messaging' : 'koji_fedoramessaging_messages',
      fedora_messaging_severity: schema === null ? 20 : 10,
      'sent-at': `${new Date(now * 1000).toISOString().slice(0, 19)}+00:00`,
      priority: priority ?? 0,
      ...(schema === null ? {} : Object.fromEntries(flags.map((flag) => [flag, true]))),
    },
    body: { base_url: BASE_URL, ...body, instance: 'primary' },
    priority: priority ?? null,
  };
}

/** `buildsys.tag` or `buildsys.untag`. Source: bus contract 1. */
export function taggingMessage(
  tables: HubTables,
  kind: 'tag' | 'untag',
  change: {
    readonly tagId: number;
    readonly build: StoredBuild;
    readonly user: string;
    readonly now: number;
  },
): BusMessage {
  const { build, user, tagId, now } = change;
  return message({
    topic: kind,
    schema: kind === 'tag' ? 'tag.TagV1' : 'tag.UntagV1',
    body: {
      tag: tables.tagName(tagId),
      tag_id: tagId,
      name: build.packageName,
      version: build.version,
      release: build.release,
      build_id: build.id,
      user,
      owner: build.owner,
    },
    users: [user, build.owner],
    packages: [build.packageName],
    priority: 2,
    now,
  });
}

/** `buildsys.package.list.change`. */
export function packageListMessage(
  tables: HubTables,
  change: {
    readonly tagId: number;
    readonly package: string;
    readonly action: 'add' | 'block' | 'remove' | 'unblock';
    readonly owner: string;
    readonly isForced: boolean;
    readonly now: number;
  },
): BusMessage {
  const { tagId, action, owner, isForced, now } = change;
  return message({
    topic: 'package.list.change',
    schema: 'package.ListChangeV1',
    body: {
      tag: tables.tagName(tagId),
      package: change.package,
      action,
      owner,
      block: action === 'block',
      extra_arches: null,
      force: isForced,
      update: false,
    },
    users: [owner],
    packages: [change.package],
    now,
  });
}

/** `buildsys.build.state.change`; `old` is null for a build that is new. */
export function buildStateMessage(build: StoredBuild, old: BuildStateNumber | null, now: number): BusMessage {
  const isoTime = (seconds: number | null): string | null =>
    seconds === null ? null : timeText(seconds).replace(' ', 'T');
  return message({
    topic: 'build.state.change',
    schema: 'build.BuildStateChangeV1',
    body: {
      name: build.packageName,
      version: build.version,
      release: build.release,
      epoch: build.epoch,
      attribute: 'state',
      old,
      new: build.state,
      build_id: build.id,
      task_id: build.taskId,
      owner: build.owner,
      files_base_url: `${BASE_URL}/kojifiles/work`,
      url: `${BASE_URL}/koji/buildinfo?buildID=${build.id}`,
      creation_time: isoTime(build.createdAt),
      completion_time: isoTime(build.completedAt),
      request: null,
      task: null,
    },
    users: [build.owner],
    packages: [build.packageName],
    now,
  });
}

/** `buildsys.rpm.sign`, one for each RPM and key. Times of the build are numbers here. */
export function signMessage(
  tables: HubTables,
  signed: {
    readonly build: StoredBuild;
    readonly rpm: StoredRpm;
    readonly sigkey: string;
    readonly sighash: string;
    readonly now: number;
  },
): BusMessage {
  const { build, rpm, sigkey, sighash, now } = signed;
  const { start_ts: _start, completion_ts: _completion, ...row } = buildRow(tables, build);
  const times = {
    creation_time: Math.floor(build.createdAt),
    start_time: Math.floor(build.createdAt),
    completion_time: build.completedAt === null ? null : Math.floor(build.completedAt),
  };
  return message({
    topic: 'rpm.sign',
    // An RPM that was imported has no buildroot, which the schema refuses.
    schema: null,
    body: { sigkey, sighash, build: { ...row, ...times, nvr: nvrOf(build) }, rpm: rpmRow(tables, rpm) },
    now,
  });
}

import type { Nevra } from '../../model/nevra.ts';
import { HubRow } from './hub-row.ts';
import type { XmlRpcValue } from './xml-rpc-value.ts';

/** What became of a build. */
export type BuildState = 'building' | 'complete' | 'deleted' | 'failed' | 'canceled';

const STATES: readonly BuildState[] = ['building', 'complete', 'deleted', 'failed', 'canceled'];

/** A build as the hub knows it now. Volume, state and draft flag are not versioned: they may change. */
export interface KojiBuild {
  readonly id: number;
  readonly nvr: string;
  readonly packageName: string;
  readonly version: string;
  /** With `,draft_<id>` at its end for a draft. */
  readonly release: string;
  readonly epoch: number | null;
  readonly state: BuildState;
  readonly volume: string;
  readonly isDraft: boolean;
  readonly taskId: number | null;
  /** Where `listTagged` found it and the event of that tagging; null from other calls. */
  readonly tagName: string | null;
  readonly tagEvent: number | null;
}

/** An RPM as the hub knows it. `payloadHash` (SIGMD5) is the same for every signed copy. */
export interface KojiRpm extends Nevra {
  readonly id: number;
  readonly buildId: number;
  /** Bytes of the primary copy; signed copies are larger. */
  readonly size: number;
  readonly payloadHash: string | null;
}

/** Members of the rows of `listTaggedRPMS` that are read; everything else is skipped while parsing. */
export const ROW_MEMBERS: ReadonlySet<string> = new Set(
  (
    'id build_id name version release epoch arch size payloadhash metadata_only draft ' +
    'nvr package_name state volume_name task_id tag_name create_event'
  ).split(' '),
);

/** Reads a build. Throws `koji.answer_unexpected`. Source: Koji contract 4 and 4.3. */
export function readBuild(value: XmlRpcValue, about: string): KojiBuild {
  const row = new HubRow(value, about);
  const packageName = row.textOrNull('package_name') ?? row.text('name');
  const version = row.text('version');
  const release = row.text('release');
  return {
    id: row.integerOrNull('build_id') ?? row.integer('id'),
    nvr: row.textOrNull('nvr') ?? `${packageName}-${version}-${release}`,
    packageName,
    version,
    release,
    epoch: row.integerOrNull('epoch'),
    state: STATES[row.integerOrNull('state') ?? 1] ?? 'failed',
    volume: row.textOrNull('volume_name') ?? 'DEFAULT',
    isDraft: row.flag('draft'),
    taskId: row.integerOrNull('task_id'),
    tagName: row.textOrNull('tag_name'),
    tagEvent: row.integerOrNull('create_event'),
  };
}

/** Reads an RPM; null where it is metadata only, that is, has no file. Throws `koji.answer_unexpected`. */
export function readRpm(value: XmlRpcValue, about: string): KojiRpm | null {
  const row = new HubRow(value, about);
  if (row.flag('metadata_only')) return null;
  const epoch = row.integerOrNull('epoch');
  return {
    id: row.integer('id'),
    buildId: row.integer('build_id'),
    name: row.text('name'),
    epoch: epoch === null ? '0' : String(epoch),
    version: row.text('version'),
    release: row.text('release'),
    arch: row.text('arch'),
    size: row.integer('size'),
    payloadHash: row.textOrNull('payloadhash'),
  };
}

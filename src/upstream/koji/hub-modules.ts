import { ReactorError } from '../../model/errors.ts';
import type { Nsvc } from '../../model/nsvc.ts';
import { HubRow, rowsOf } from './hub-row.ts';
import { KojiFault } from './hub-fault.ts';
import type { CallOptions, KojiHub } from './hub.ts';
import { readBuild, type KojiBuild } from './koji-build.ts';
import { isStruct, type XmlRpcValue } from './xml-rpc-value.ts';

/** A build of type `module`. The NSVC is the true one; the NVR has underscores for the dashes of the stream. */
export interface KojiModuleBuild extends Nsvc {
  readonly build: KojiBuild;
  /** Tag that holds the RPMs of the module. Its name means nothing. */
  readonly contentTag: string;
  /** The document for all arches. */
  readonly modulemd: string;
  /** When the build was completed, in seconds since the epoch; null where the hub does not say. */
  readonly completedAt: number | null;
}

/** One file of a module build. */
export interface ModuleArchive {
  readonly fileName: string;
  readonly size: number;
}

/**
 * Module builds by id or NVR, in order; null for a build that is unknown or no module. Throws the faults of the hub and
 * `koji.answer_unexpected`. Source: Koji contract 4.3.
 */
export async function getModuleBuilds(
  hub: KojiHub,
  ids: readonly (number | string)[],
  options: CallOptions = {},
): Promise<readonly (KojiModuleBuild | null)[]> {
  const answers = await hub.multicall(
    ids.map((id) => ({ method: 'getBuild', args: [id] })),
    options,
  );
  return ids.map((id, index) => {
    const answer = answers[index] ?? null;
    if (answer instanceof KojiFault) throw answer;
    return answer === null ? null : readModuleBuild(answer, `getBuild of ${id}`);
  });
}

function readModuleBuild(answer: XmlRpcValue, about: string): KojiModuleBuild | null {
  const row = new HubRow(answer, about);
  const extra = row.value('extra');
  const typeinfo = isStruct(extra) ? extra['typeinfo'] : undefined;
  const module = isStruct(typeinfo) ? typeinfo['module'] : undefined;
  if (!isStruct(module)) return null;
  const info = new HubRow(module, `${about}, extra.typeinfo.module`);
  return {
    name: info.text('name'),
    stream: info.text('stream'),
    version: textOf(info, 'version'),
    context: textOf(info, 'context'),
    build: readBuild(answer, about),
    contentTag: info.text('content_koji_tag'),
    modulemd: info.textOrNull('modulemd_str') ?? '',
    completedAt: row.value('completion_ts') === null ? null : row.number('completion_ts'),
  };
}

/** Old records hold the version as a number, which XML-RPC carries only while it is small. */
function textOf(row: HubRow, member: string): string {
  const value = row.value(member);
  return typeof value === 'number' ? String(value) : row.text(member);
}

/**
 * Ids of the builds whose NVR matches a glob, in any state. The pattern is passed as it is.
 * Throws `koji.answer_unexpected`.
 */
export async function searchBuilds(
  hub: KojiHub,
  pattern: string,
  options: CallOptions = {},
): Promise<readonly number[]> {
  const rows = await hub.call('search', [pattern, 'build', 'glob'], {}, options);
  return rowsOf(rows, `search of ${pattern}`).map((row) =>
    new HubRow(row, `search of ${pattern}`).integer('id'),
  );
}

/** The files of module builds, by build id. Source: module contract 4.3. */
export async function listModuleArchives(
  hub: KojiHub,
  buildIds: readonly number[],
  options: CallOptions = {},
): Promise<ReadonlyMap<number, readonly ModuleArchive[]>> {
  const answers = await hub.multicall(
    buildIds.map((id) => ({ method: 'listArchives', args: [id] })),
    options,
  );
  return new Map(
    buildIds.map((id, index) => {
      const answer = answers[index];
      if (answer instanceof KojiFault) throw answer;
      return [id, readArchives(answer, `listArchives of ${id}`)];
    }),
  );
}

function readArchives(answer: XmlRpcValue | undefined, about: string): readonly ModuleArchive[] {
  const rows = rowsOf(answer, about).map((value) => new HubRow(value, about));
  return rows
    .filter((row) => row.textOrNull('btype') === 'module')
    .map((row) => {
      const fileName = row.text('filename');
      if (/^[\w.+-]+$/.test(fileName)) return { fileName, size: row.integer('size') };
      throw new ReactorError('koji.answer_unexpected', `A file of a module is called "${fileName}".`, {
        where: about,
      });
    });
}

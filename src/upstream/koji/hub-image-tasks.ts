import { ReactorError } from '../../model/errors.ts';
import { buildFilePath, taskOutputPath } from './koji-path.ts';
import { HubRow, rowsOf } from './hub-row.ts';
import type { CallOptions, KojiHub } from './hub.ts';
import { isArray, isStruct, type XmlRpcValue } from './xml-rpc-value.ts';

/** A task of a user, with what it was asked for. */
export interface OwnTask {
  readonly id: number;
  readonly request: XmlRpcValue;
}

/** How far a task is. */
export type TaskState = 'open' | 'closed' | 'cancelled' | 'failed';

/** Tasks of a user that are looked through, the newest first. */
const MOST_TASKS = 200;

/** Returns the number of the last task of a user; 0 where there is none. Throws what the hub's calls throw. */
export async function findLastTask(hub: KojiHub, owner: number, options: CallOptions = {}): Promise<number> {
  const query = { order: '-id', limit: 1 };
  const rows = rowsOf(await hub.call('listTasks', [{ owner }, query], {}, options), 'listTasks');
  return rows.length === 0 ? 0 : new HubRow(rows[0], 'listTasks').integer('id');
}

/** Lists the tasks of a user and method that came after another one, the oldest first. Throws what the hub's calls throw. */
export async function listTasksAfter(
  hub: KojiHub,
  { owner, method, after }: { readonly owner: number; readonly method: string; readonly after: number },
  options: CallOptions = {},
): Promise<readonly OwnTask[]> {
  const query = { order: '-id', limit: MOST_TASKS };
  const wanted = { owner, method, decode: true };
  const rows = rowsOf(await hub.call('listTasks', [wanted, query], {}, options), 'listTasks');
  return rows
    .map((row) => new HubRow(row, 'listTasks'))
    .map((row) => ({ id: row.integer('id'), request: row.value('request') }))
    .filter(({ id }) => id > after)
    .toReversed();
}

/** Returns how far tasks are, in the order of their ids. Throws `koji.task_unknown`, and what the hub's calls throw. */
export async function readTaskStates(
  hub: KojiHub,
  ids: readonly number[],
  options: CallOptions = {},
): Promise<readonly TaskState[]> {
  const rows = rowsOf(await hub.call('getTaskInfo', [[...ids]], {}, options), 'getTaskInfo');
  return ids.map((id, at) => {
    const row = rows[at] ?? null;
    if (row === null) {
      throw new ReactorError('koji.task_unknown', `Unknown Koji task ${id}.`, { where: hub.url });
    }
    return stateOf(new HubRow(row, `getTaskInfo of task ${id}`).integer('state'));
  });
}

/** Source: Koji contract 4.4. */
function stateOf(state: number): TaskState {
  if (state === 2) return 'closed';
  if (state === 3) return 'cancelled';
  return state === 5 ? 'failed' : 'open';
}

/** What one arch of a task brought. */
export interface TaskImages {
  readonly arch: string;
  /** Paths below the top directory; null where its part of the task did not succeed. */
  readonly paths: readonly string[] | null;
}

/** Children that make an image of one arch. */
const imageMethods: ReadonlySet<string> = new Set([
  'createImage',
  'createKiwiImage',
  'createLiveMedia',
  'createAppliance',
  'imageBuilderBuildArch',
]);

/**
 * Returns what a task that has ended well brought for each arch. Throws `koji.name_unfit`, `koji.answer_unexpected`, and what
 * the hub's calls throw. Source: Pungi's `get_image_paths`.
 */
export async function listTaskImages(
  hub: KojiHub,
  taskId: number,
  options: CallOptions = {},
): Promise<readonly TaskImages[]> {
  const about = `getTaskChildren of task ${taskId}`;
  const children = rowsOf(await hub.call('getTaskChildren', [taskId], { request: true }, options), about)
    .map((row) => new HubRow(row, about))
    .filter((row) => imageMethods.has(row.text('method')));
  return Promise.all(
    children.map(async (child) => {
      if (stateOf(child.integer('state')) !== 'closed') return { arch: child.text('arch'), paths: null };
      const id = child.integer('id');
      const result = new HubRow(
        await hub.call('getTaskResult', [id], {}, options),
        `getTaskResult of task ${id}`,
      );
      const files = result.texts('files');
      const request = rowsOf(child.value('request'), about);
      const last = request.at(-1);
      const isScratch = isStruct(last) && last['scratch'] === true;
      const place = isScratch ? null : await findBuild(hub, nvrOf(result), options);
      const paths = files.map((name) =>
        place === null ? taskOutputPath(id, name) : buildFilePath(place, 'images', name),
      );
      return { arch: result.text('arch'), paths };
    }),
  );
}

function nvrOf(result: HubRow): string {
  return `${result.text('name')}-${result.text('version')}-${result.text('release')}`;
}

/** A build as the hub tells it. */
interface ToldBuild {
  readonly packageName: string;
  readonly version: string;
  readonly release: string;
  readonly volume: string;
  readonly nvr: string;
  readonly createdAt: string;
}

async function findBuild(hub: KojiHub, build: string | number, options: CallOptions): Promise<ToldBuild> {
  const row = new HubRow(
    await hub.call('getBuild', [build], { strict: true }, options),
    `getBuild of ${build}`,
  );
  return {
    packageName: row.text('package_name'),
    version: row.text('version'),
    release: row.text('release'),
    volume: row.textOrNull('volume_name') ?? 'DEFAULT',
    nvr: row.text('nvr'),
    createdAt: row.textOrNull('creation_time') ?? '',
  };
}

/** A file of a build of images. */
export interface ImageArchive {
  readonly arch: string;
  /** What Koji takes it for: `qcow2`, `iso`. */
  readonly typeName: string;
  readonly fileName: string;
  /** Below the top directory. */
  readonly path: string;
}

/**
 * Returns the files of the build that a task of osbuild made. Throws `koji.answer_unexpected`, `koji.name_unfit`, and what the
 * hub's calls throw. Source: Pungi's phase osbuild.
 */
export async function listOsbuildArchives(
  hub: KojiHub,
  taskId: number,
  options: CallOptions = {},
): Promise<readonly ImageArchive[]> {
  const about = `getTaskResult of task ${taskId}`;
  const result = new HubRow(await hub.call('getTaskResult', [taskId], {}, options), about);
  const buildId = new HubRow(result.value('koji'), about).integer('build');
  const build = await findBuild(hub, buildId, options);
  const archives = rowsOf(
    await hub.call('listArchives', [], { buildID: buildId }, options),
    `listArchives of build ${buildId}`,
  );
  return archives.flatMap((value) => {
    const row = new HubRow(value, `listArchives of build ${buildId}`);
    const arch = archOf(row.value('extra'));
    if (arch === null) return [];
    const fileName = row.text('filename');
    const path = buildFilePath(build, 'images', fileName);
    return [{ arch, typeName: row.text('type_name'), fileName, path }];
  });
}

function archOf(extra: XmlRpcValue): string | null {
  const image = isStruct(extra) ? extra['image'] : undefined;
  const arch = isStruct(image) ? image['arch'] : undefined;
  return typeof arch === 'string' ? arch : null;
}

/** What a task that built a container brought: arch to what metadata say of it. */
export type BuiltContainers = Readonly<Record<string, readonly Readonly<Record<string, XmlRpcValue>>[]>>;

/**
 * Returns what a container build made, as `osbs.json` tells it. Throws `koji.answer_unexpected`, and what the hub's calls
 * throw. Source: Pungi's phase osbs.
 */
export async function listContainers(
  hub: KojiHub,
  taskId: number,
  { composeId, isScratch }: { readonly composeId: string; readonly isScratch: boolean },
  options: CallOptions = {},
): Promise<BuiltContainers> {
  const about = `getTaskResult of task ${taskId}`;
  const result = new HubRow(await hub.call('getTaskResult', [taskId], {}, options), about);
  const known = { compose_id: composeId, koji_task: taskId };
  if (isScratch) return { scratch: [{ ...known, repositories: result.value('repositories') }] };
  const builds = result.value('koji_builds');
  const buildId = Number(isArray(builds) ? builds[0] : Number.NaN);
  if (!Number.isSafeInteger(buildId)) {
    throw new ReactorError('koji.answer_unexpected', `The Koji task ${taskId} names no build.`, {
      where: hub.url,
    });
  }
  const build = await findBuild(hub, buildId, options);
  const { packageName: name, version, release, nvr, createdAt } = build;
  const archives = rowsOf(
    await hub.call('listArchives', [], { buildID: buildId, type: 'image' }, options),
    `listArchives of build ${buildId}`,
  );
  const found: Record<string, Record<string, XmlRpcValue>[]> = {};
  for (const value of archives) {
    const row = new HubRow(value, `listArchives of build ${buildId}`);
    const extra = row.value('extra');
    const arch = archOf(extra);
    if (arch === null) continue;
    (found[arch] ??= []).push({
      filename: row.text('filename'),
      size: row.value('size'),
      checksum: row.value('checksum'),
      ...(isStruct(extra) ? extra : {}),
      ...known,
      name,
      version,
      release,
      nvr,
      creation_time: createdAt,
    });
  }
  return found;
}

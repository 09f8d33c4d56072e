import { ReactorError } from '../../model/errors.ts';
import { FAULT_GENERIC, KojiFault } from './hub-fault.ts';
import { HubRow, rowsOf } from './hub-row.ts';
import type { CallOptions, KojiHub } from './hub.ts';
import { taskPath } from './koji-path.ts';

/** Paths of RPMs that a scratch build left, relative to the top directory (`work/tasks/…`). */
export interface ScratchRpms {
  readonly taskId: number;
  readonly paths: readonly string[];
}

const TASK_CLOSED = 2;

/**
 * The RPMs and source RPMs that the direct children of finished scratch build tasks made, each path once.
 * Throws `koji.task_unknown`, `koji.task_unfinished`, `koji.task_failed`, naming the task, and `koji.name_unfit`.
 * Source: Koji contract 4.4; Pungi contract 2.1.
 */
export async function getScratchRpms(
  hub: KojiHub,
  taskIds: readonly number[],
  options: CallOptions = {},
): Promise<readonly ScratchRpms[]> {
  const children = await hub.multicall(
    taskIds.map((id) => ({ method: 'getTaskChildren', args: [id] })),
    options,
  );
  const scratch: ScratchRpms[] = [];
  for (const [index, taskId] of taskIds.entries()) {
    const answer = children[index];
    if (answer instanceof KojiFault) throw taskFault(hub, taskId, answer);
    const childIds = rowsOf(answer, `getTaskChildren of task ${taskId}`).map((row) =>
      new HubRow(row, `getTaskChildren of task ${taskId}`).integer('id'),
    );
    if (childIds.length === 0) await requireFinished(hub, taskId, options);
    scratch.push({ taskId, paths: await resultPaths(hub, taskId, childIds, options) });
  }
  return scratch;
}

async function requireFinished(hub: KojiHub, taskId: number, options: CallOptions): Promise<void> {
  const info = await hub.call('getTaskInfo', [taskId], {}, options);
  if (info === null) {
    throw new ReactorError('koji.task_unknown', `Unknown Koji task ${taskId}.`, { where: hub.url });
  }
  const state = new HubRow(info, `getTaskInfo of task ${taskId}`).integer('state');
  if (state !== TASK_CLOSED) throw unfinished(hub, taskId);
}

async function resultPaths(
  hub: KojiHub,
  taskId: number,
  childIds: readonly number[],
  options: CallOptions,
): Promise<readonly string[]> {
  const results = await hub.multicall(
    childIds.map((id) => ({ method: 'getTaskResult', args: [id] })),
    options,
  );
  const paths = new Set<string>();
  for (const result of results) {
    if (result instanceof KojiFault) throw taskFault(hub, taskId, result);
    if (result === null) throw unfinished(hub, taskId);
    const row = new HubRow(result, `getTaskResult below task ${taskId}`);
    for (const path of [...row.texts('rpms'), ...row.texts('srpms')]) paths.add(taskPath(path));
  }
  return [...paths];
}

function unfinished(hub: KojiHub, taskId: number): ReactorError {
  return new ReactorError('koji.task_unfinished', `The Koji task ${taskId} is not finished.`, {
    where: hub.url,
    fate: 'retry',
  });
}

function taskFault(hub: KojiHub, taskId: number, fault: KojiFault): ReactorError {
  if (fault.faultCode !== FAULT_GENERIC) return fault;
  return new ReactorError('koji.task_failed', `The Koji task ${taskId} failed: ${fault.faultText}`, {
    where: hub.url,
    cause: fault,
  });
}

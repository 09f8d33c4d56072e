import { sql, type Selectable, type SqlBool } from 'kysely';
import type { ImageTask, ImageTaskState, KojiCall } from '../model/image-task.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import type { ImageTasksTable } from './tables.ts';
import type { UnitOfWork } from './transaction.ts';

/** One task of Koji that makes images of a compose. */
export type ImageTaskRow = Selectable<ImageTasksTable>;

/** The compose that an attempt holds; what a later one has taken over is not touched. */
export interface ImageTaskHolder {
  readonly id: number;
  readonly attempt: number;
}

/** Returns the tasks of the images of a compose, in the order in which they are begun. */
export async function listImageTasks(
  kysely: DatabaseHandle | TransactionHandle,
  composeId: number,
): Promise<readonly ImageTaskRow[]> {
  return kysely
    .selectFrom('image_tasks')
    .selectAll()
    .where('compose_id', '=', composeId)
    .orderBy('position')
    .execute();
}

/** Keeps what images a compose is to have, in place of all that were kept. */
export async function putImageTasks(
  tx: UnitOfWork,
  composeId: number,
  tasks: readonly { readonly task: ImageTask; readonly call: KojiCall }[],
): Promise<void> {
  await tx.sql.deleteFrom('image_tasks').where('compose_id', '=', composeId).execute();
  if (tasks.length === 0) return;
  await tx.sql
    .insertInto('image_tasks')
    .values(
      tasks.map(({ task, call }, position) => ({
        compose_id: composeId,
        position,
        task: JSON.stringify(task),
        call: JSON.stringify(call),
        state: 'waiting' as const,
      })),
    )
    .execute();
}

/** What becomes of a task. */
export interface ImageTaskChange {
  readonly to: ImageTaskState;
  readonly afterTask?: number;
  readonly taskId?: number;
  readonly taskUrl?: string | null;
  readonly reason?: string;
}

/**
 * Notes what becomes of a task of a compose that an attempt holds. Returns false, and changes nothing, where the attempt
 * holds it no longer, or the task is in none of the states `from`.
 */
export async function moveImageTask(
  tx: Pick<UnitOfWork, 'sql' | 'now'>,
  { id, attempt }: ImageTaskHolder,
  position: number,
  { from, ...change }: ImageTaskChange & { readonly from: readonly ImageTaskState[] },
): Promise<boolean> {
  const { to, afterTask, taskId, taskUrl, reason } = change;
  const isEnd = to === 'done' || to === 'failed' || to === 'cancelled';
  const moved = await tx.sql
    .updateTable('image_tasks')
    .set({
      state: to,
      ...(afterTask === undefined ? {} : { after_task: afterTask }),
      ...(taskId === undefined ? {} : { task_id: taskId }),
      ...(taskUrl === undefined ? {} : { task_url: taskUrl }),
      ...(reason === undefined ? {} : { reason }),
      ...(to === 'asked' ? { begun_at: tx.now } : {}),
      ...(isEnd ? { ended_at: tx.now } : {}),
    })
    .where('compose_id', '=', id)
    .where('position', '=', position)
    .where('state', 'in', [...from])
    .where(
      sql<SqlBool>`exists (select from composes where id = ${id} and attempt = ${attempt} and state = 'generating')`,
    )
    .returning('position')
    .executeTakeFirst();
  return moved !== undefined;
}

/** Returns tasks that Koji may still work on although their composes have ended, at most `limit` composes of them. */
export async function listLeftImageTasks(
  kysely: DatabaseHandle,
  limit: number,
): Promise<readonly ImageTaskRow[]> {
  const ended = kysely
    .selectFrom('image_tasks')
    .innerJoin('composes', 'composes.id', 'image_tasks.compose_id')
    .select('compose_id')
    .distinct()
    .where('image_tasks.state', 'in', ['asked', 'running'])
    .where('composes.state', 'not in', ['wait', 'generating'])
    .orderBy('compose_id')
    .limit(limit);
  return kysely
    .selectFrom('image_tasks')
    .selectAll()
    .where('compose_id', 'in', ended)
    .where('state', 'in', ['asked', 'running'])
    .orderBy('compose_id')
    .orderBy('position')
    .execute();
}

/** Notes that tasks of a compose that has ended were cancelled. */
export async function closeLeftImageTask(
  tx: Pick<UnitOfWork, 'sql' | 'now'>,
  { compose_id: composeId, position }: Pick<ImageTaskRow, 'compose_id' | 'position'>,
): Promise<void> {
  await tx.sql
    .updateTable('image_tasks')
    .set({ state: 'cancelled', ended_at: tx.now })
    .where('compose_id', '=', composeId)
    .where('position', '=', position)
    .where('state', 'in', ['asked', 'running'])
    .execute();
}

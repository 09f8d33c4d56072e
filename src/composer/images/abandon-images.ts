import {
  closeLeftImageTask,
  listImageTasks,
  listLeftImageTasks,
  moveImageTask,
  type ImageTaskRow,
} from '../../database/image-tasks.ts';
import { transaction } from '../../database/transaction.ts';
import type { HeldCompose } from '../../lifecycle/move-compose.ts';
import { errorFields } from '../../model/errors.ts';
import type { KojiSession } from '../../upstream/koji/koji-session.ts';
import type { ComposerContext } from '../composer-context.ts';
import { Pen } from '../pen.ts';
import { isPublished, publishedDirectory } from '../publish.ts';
import { findAsked } from './ask-for-image.ts';
import type { AskContext } from './image-context.ts';
import { replaceFile } from './place-image.ts';

/** A hub that is away must not hold up who cancels. */
const LONGEST_MS = 20_000;

type AbandonContext = Pick<ComposerContext, 'database' | 'imageKoji' | 'log'>;

/**
 * Has Koji stop working on the images of a compose that will have none, and says so in its directory. What cannot be
 * cancelled now is only told in the log: the compose fails all the same.
 */
export async function abandonImages(
  context: AbandonContext,
  held: HeldCompose,
  targetDir: string,
): Promise<void> {
  const rows = await listImageTasks(context.database.kysely, held.id);
  if (rows.length === 0) return;
  if (isPublished(targetDir, held.id)) {
    replaceFile(new Pen(publishedDirectory(targetDir, held.id)), 'STATUS', 'DOOMED\n');
  }
  const open = rows.filter(({ state }) => state === 'asked' || state === 'running');
  try {
    await cancelTasks(context, open);
  } catch (error) {
    context.log.warn({ compose: held.id, ...errorFields(error) }, 'images could not be cancelled');
    return;
  }
  await transaction(context.database, async (tx) => {
    for (const { position, state } of rows) {
      if (state === 'done' || state === 'failed') continue;
      await moveImageTask(tx, held, position, { from: [state], to: 'cancelled' });
    }
  });
}

/** Composes whose images are looked after at once. */
const COMPOSES_AT_ONCE = 20;

/**
 * Has Koji stop working on images of composes that ended without a word to it, as those that are given up do. Throws
 * `koji.*`.
 */
export async function abandonLeftImages(context: AbandonContext): Promise<void> {
  const { database, imageKoji, log } = context;
  if (imageKoji === null) return;
  const rows = await listLeftImageTasks(database.kysely, COMPOSES_AT_ONCE);
  if (rows.length === 0) return;
  await cancelTasks(context, rows);
  await transaction(database, async (tx) => {
    for (const row of rows) await closeLeftImageTask(tx, row);
  });
  log.warn(
    { composes: [...new Set(rows.map((row) => row.compose_id))] },
    'images of ended composes cancelled',
  );
}

/** Has Koji stop working on a task that nobody waits for any more. Where that cannot be told now, the log says so. */
export async function cancelSlowImage(
  { koji, log, signal: outer }: Pick<AskContext, 'koji' | 'log' | 'signal'>,
  taskId: number,
): Promise<void> {
  try {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(LONGEST_MS)]);
    await using session = await koji.beginSession(signal);
    await cancelTask(session, taskId, signal);
  } catch (error) {
    outer.throwIfAborted();
    log.warn({ task: taskId, ...errorFields(error) }, 'image could not be cancelled');
  }
}

/** Cancels tasks, also those of which it is not known whether Koji has them. Throws `koji.*`. */
async function cancelTasks(
  { imageKoji: koji }: AbandonContext,
  rows: readonly ImageTaskRow[],
): Promise<void> {
  if (rows.length === 0 || koji === null) return;
  const signal = AbortSignal.timeout(LONGEST_MS);
  await using session = await koji.beginSession(signal);
  const user = await session.readUser({ signal });
  for (const { task_id: known, call, after_task: after } of rows) {
    const isAsked = known === null && after !== null;
    const asked = isAsked ? await findAsked({ koji, signal }, { call, after, owner: user.id }) : undefined;
    const taskId = known ?? asked;
    if (taskId !== undefined) await cancelTask(session, taskId, signal);
  }
}

/** Cancels a task with its children. One that has ended stays as it ended. */
async function cancelTask(session: KojiSession, taskId: number, signal: AbortSignal): Promise<void> {
  await session.call('cancelTask', [taskId], { recurse: true }, { signal });
}

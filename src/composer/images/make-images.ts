import { setTimeout as wait } from 'node:timers/promises';
import { listImageTasks, type ImageTaskRow } from '../../database/image-tasks.ts';
import { ReactorError } from '../../model/errors.ts';
import type { ImageTask } from '../../model/image-task.ts';
import type { ListedImage } from '../../rpm/productmd-images.ts';
import { readTaskStates, type BuiltContainers, type TaskState } from '../../upstream/koji/hub-image-tasks.ts';
import type { Pen } from '../pen.ts';
import { cancelSlowImage } from './abandon-images.ts';
import { askForImage } from './ask-for-image.ts';
import { noteImageTask, type MakeImagesContext } from './image-context.ts';
import { imageRepoFileOf } from './container-call.ts';
import { describeTask } from './image-koji.ts';
import { replaceFile } from './place-image.ts';
import { takeImages } from './take-images.ts';

/** What the tasks of a compose brought. */
export interface MadeImages {
  readonly images: readonly ListedImage[];
  /** By variant. */
  readonly containers: readonly { readonly variant: string; readonly built: BuiltContainers }[];
  /** What failed and may fail. */
  readonly warnings: readonly string[];
}

/** A task that Koji works on. */
type RunningTask = ImageTaskRow & { readonly task_id: number };

/**
 * Has Koji make the images of a compose that people see, and takes them into it; goes on with what an earlier attempt
 * began. Throws `koji.image_failed` and `koji.image_slow` for one that may not fail, and what asking and taking throw; the
 * other tasks go on then.
 */
export async function makeImages(context: MakeImagesContext, pen: Pen): Promise<MadeImages> {
  const rows = await listImageTasks(context.database.kysely, context.held.id);
  const running: RunningTask[] = [];
  const made: MadeParts = { images: [], containers: [], warnings: [] };
  let ended = 0;
  const tell = (): void => context.progress('images', ended, rows.length, 'images');
  tell();
  const waiting: ImageTaskRow[] = [];
  for (const row of rows) {
    if (row.state === 'failed') {
      made.warnings.push(row.reason ?? '');
      ended += 1;
    } else if (row.task.phase === 'image_container') waiting.push(row);
    else running.push(await begin(context, row));
  }
  for (;;) {
    if (running.length === 0) {
      // Containers of images are begun once those are there.
      for (const row of waiting.splice(0)) {
        if (await describeImageOf(context, { row, pen }, made)) running.push(await begin(context, row));
        else ended += 1;
      }
      tell();
      if (running.length === 0) return made;
    }
    const states = await readTaskStates(
      context.koji.hub,
      running.map(({ task_id: id }) => id),
      context,
    );
    for (const [at, row] of [...running].entries()) {
      const isOver = await settle(context, { row, state: states[at] ?? 'open', pen }, made);
      if (!isOver) continue;
      running.splice(running.indexOf(row), 1);
      ended += 1;
      tell();
    }
    if (running.length > 0) await wait(context.koji.pollSeconds * 1000, undefined, context);
  }
}

/** Writes which image goes into a container; returns false where there is none, and that is fine. */
async function describeImageOf(
  context: MakeImagesContext,
  { row, pen }: { readonly row: ImageTaskRow; readonly pen: Pen },
  made: MadeParts,
): Promise<boolean> {
  const { task, position } = row;
  if (task.phase !== 'image_container' || row.task_id !== null) return true;
  try {
    const place = { toplevelUrl: context.toplevelUrl, position };
    const { path, text } = imageRepoFileOf(task, place, made.images);
    pen.makeDirectory(path.slice(0, path.lastIndexOf('/')));
    replaceFile(pen, path, text);
    return true;
  } catch (error) {
    if (!(error instanceof ReactorError) || error.code !== 'koji.image_failed') throw error;
    await fail(context, row, made, error);
    return false;
  }
}

interface MadeParts {
  readonly images: ListedImage[];
  readonly containers: { readonly variant: string; readonly built: BuiltContainers }[];
  readonly warnings: string[];
}

async function begin(context: MakeImagesContext, row: ImageTaskRow): Promise<RunningTask> {
  if (row.task_id !== null) return { ...row, task_id: row.task_id };
  const taskId = await askForImage(context, row);
  context.log.info({ task: taskId, phase: row.task.phase, variant: row.task.variant }, 'image begun');
  return { ...row, state: 'running', task_id: taskId, begun_at: row.begun_at ?? context.now() };
}

/** Does what the state of a task asks for; returns whether it is over. */
async function settle(
  context: MakeImagesContext,
  { row, state, pen }: { readonly row: RunningTask; readonly state: TaskState; readonly pen: Pen },
  made: MadeParts,
): Promise<boolean> {
  switch (state) {
    case 'open':
      if (!isLate(context, row)) return false;
      await cancelSlowImage(context, row.task_id);
      return fail(context, row, made, slow(context, row));
    case 'cancelled':
    case 'failed':
      return fail(context, row, made, failed(context, row, state));
    case 'closed': {
      try {
        const taken = await takeImages(context, row, pen);
        made.images.push(...taken.images);
        made.warnings.push(...taken.warnings);
        if (taken.containers !== null) {
          made.containers.push({ variant: row.task.variant, built: taken.containers });
        }
      } catch (error) {
        if (!(error instanceof ReactorError) || error.code !== 'koji.image_failed') throw error;
        return fail(context, row, made, error);
      }
      await noteImageTask(context, row.position, { from: ['running', 'done'], to: 'done' });
      return true;
    }
    default:
      return state satisfies never;
  }
}

async function fail(
  context: MakeImagesContext,
  row: ImageTaskRow,
  made: MadeParts,
  error: ReactorError,
): Promise<true> {
  await noteImageTask(context, row.position, {
    from: ['waiting', 'running', 'done'],
    to: 'failed',
    reason: error.message,
  });
  if (!row.task.isFailable) throw error;
  made.warnings.push(error.message);
  return true;
}

function isLate({ now, koji }: MakeImagesContext, { begun_at: begun }: RunningTask): boolean {
  return begun !== null && now().getTime() - begun.getTime() > koji.taskSeconds * 1000;
}

/** Names an image for people: `kiwibuild of BaseOS (aarch64, x86_64)`. */
function describeImage({ phase, variant, arches }: ImageTask): string {
  return `${phase} of ${variant}${arches.length === 0 ? '' : ` (${arches.join(', ')})`}`;
}

function slow({ koji }: MakeImagesContext, { task, task_id: id }: RunningTask): ReactorError {
  return new ReactorError(
    'koji.image_slow',
    `The image ${describeImage(task)} takes Koji more than ${koji.taskSeconds} seconds: ${describeTask(koji.webUrl, id)}`,
    { hint: 'The setting image_task_timeout says how long one may take.' },
  );
}

function failed(
  { koji }: MakeImagesContext,
  { task, task_id: id }: RunningTask,
  state: 'cancelled' | 'failed',
): ReactorError {
  const how = state === 'failed' ? 'failed in Koji' : 'was cancelled in Koji';
  return new ReactorError(
    'koji.image_failed',
    `The image ${describeImage(task)} ${how}: ${describeTask(koji.webUrl, id)}`,
  );
}

import { setTimeout as wait } from 'node:timers/promises';
import type { ImageTaskRow } from '../../database/image-tasks.ts';
import { errorFields, ReactorError } from '../../model/errors.ts';
import type { JsonValue, KojiCall } from '../../model/image-task.ts';
import { findLastTask, listTasksAfter } from '../../upstream/koji/hub-image-tasks.ts';
import { isArray, isStruct, type XmlRpcValue } from '../../upstream/koji/xml-rpc-value.ts';
import { taskUrl } from './image-koji.ts';
import { noteImageTask, type AskContext } from './image-context.ts';

/** A task that waits to be begun, or of which it is not known whether Koji has it. */
export type UnknownTask = Pick<ImageTaskRow, 'position' | 'after_task' | 'call'>;

const TRIES = 3;

/**
 * Has Koji make an image; returns the number of the task. What is asked for is noted before it is asked: where nobody
 * knows whether Koji got the call, because the process died or no answer came, the task is looked for among those of the
 * service that came after the last one before, and asked for again only where there is none. Two are never asked for at
 * once, so that one that is found is the right one. Throws `koji.*` and `compose.ended_elsewhere`.
 */
export async function askForImage(context: AskContext, task: UnknownTask): Promise<number> {
  const { koji, signal } = context;
  await using session = await koji.beginSession(signal);
  const user = await session.readUser({ signal });
  let after = task.after_task;
  for (let tries = 1; ; tries += 1) {
    const found = after === null ? undefined : await findAsked(context, { ...task, after, owner: user.id });
    if (found !== undefined) return noteTask(context, task, found);
    if (after === null) {
      after = await findLastTask(koji.hub, user.id, { signal });
      await noteImageTask(context, task.position, { from: ['waiting'], to: 'asked', afterTask: after });
    }
    try {
      const { method, args, keywords } = task.call;
      const answer = await session.call(method, args, keywords, { signal });
      if (typeof answer === 'number') return await noteTask(context, task, answer);
      throw new ReactorError('koji.answer_unexpected', `The Koji hub answered no task to ${method}.`, {
        where: koji.hub.url,
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!mayHaveArrived(error) || tries >= TRIES) throw error;
      context.log.warn(errorFields(error), 'nobody knows whether Koji got the call for an image');
      await wait(koji.pollSeconds * 1000, undefined, { signal });
    }
  }
}

/** Whether a call that failed so may have been made all the same. */
function mayHaveArrived(error: unknown): boolean {
  return error instanceof ReactorError && error.fate === 'retry';
}

async function noteTask(context: AskContext, task: UnknownTask, taskId: number): Promise<number> {
  await noteImageTask(context, task.position, {
    from: ['asked'],
    to: 'running',
    taskId,
    taskUrl: taskUrl(context.koji.webUrl, taskId),
  });
  return taskId;
}

/** Finds the task that a call made, if it made one. */
export async function findAsked(
  { koji, signal }: Pick<AskContext, 'koji' | 'signal'>,
  { call, after, owner }: { readonly call: KojiCall; readonly after: number; readonly owner: number },
): Promise<number | undefined> {
  const tasks = await listTasksAfter(koji.hub, { owner, method: call.method, after }, { signal });
  const wanted = wordsOf([...call.args, call.keywords]);
  return tasks.find(({ request }) => {
    const has = new Set(wordsOf(request));
    return wanted.every((word) => has.has(word));
  })?.id;
}

/** Every word in a value, however the hub has arranged it: it joins lists of arches, and moves keywords into options. */
function wordsOf(value: JsonValue | XmlRpcValue): string[] {
  if (typeof value === 'string') return value.split(/[\s,]+/).filter(Boolean);
  if (isArray(value)) return value.flatMap(wordsOf);
  return isStruct(value) ? Object.values(value).flatMap(wordsOf) : [];
}

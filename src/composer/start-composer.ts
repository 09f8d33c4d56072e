import { errorFields } from '../model/errors.ts';
import type { ComposerContext } from './composer-context.ts';
import { runCompose } from './run-compose.ts';
import { runRequest } from './run-request.ts';

/** Takes composes and requests from the queue, `concurrency` of each at a time, until the queue stops. */
export async function startComposer(context: ComposerContext, concurrency: number): Promise<void> {
  const onError = (name: string, data: object, error: unknown): void => {
    context.log.warn({ job: name, ...data, ...errorFields(error) }, 'job ended with an error');
  };
  await context.database.jobs.work('request.run', {
    concurrency,
    onError,
    handleJob: ({ requestId }, job) => runRequest(context, requestId, job),
  });
  await context.database.jobs.work('compose.run', {
    concurrency: concurrency + context.waitingPlaces,
    onError,
    handleJob: ({ composeId }, job) => runCompose(context, composeId, job),
  });
}

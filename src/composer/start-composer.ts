import { errorFields } from '../model/errors.ts';
import type { ComposerContext } from './composer-context.ts';
import { runCompose } from './run-compose.ts';
import { runRequest } from './run-request.ts';

/** What is urgent never waits for the end of what is not; it comes one at a time. */
const URGENT_PLACES = 1;

/**
 * Takes composes and requests from the queue, `concurrency` of each at a time, until the queue stops; requests of priority
 * `security`, which only rules make, have a place of their own beside them.
 */
export async function startComposer(context: ComposerContext, concurrency: number): Promise<void> {
  const onError = (name: string, data: object, error: unknown): void => {
    context.log.warn({ job: name, ...data, ...errorFields(error) }, 'job ended with an error');
  };
  await context.database.jobs.work('request.run', {
    concurrency,
    urgentPlaces: URGENT_PLACES,
    onError,
    handleJob: ({ requestId }, job) => runRequest(context, requestId, job),
  });
  await context.database.jobs.work('compose.run', {
    concurrency: concurrency + context.waitingPlaces,
    onError,
    handleJob: ({ composeId }, job) => runCompose(context, composeId, job),
  });
}

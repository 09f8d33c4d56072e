import { setTimeout as pause } from 'node:timers/promises';
import { transaction } from '../database/transaction.ts';
import { enqueueLostWork } from '../lifecycle/find-lost-work.ts';
import { giveUpCompose, giveUpRequest } from '../lifecycle/give-up.ts';
import type { KeptReleases } from '../model/keep.ts';
import { errorFields } from '../model/errors.ts';
import type { ComposerContext } from './composer-context.ts';
import { forgetEvents } from './forget-events.ts';
import { forgetHistory, type KeptDays } from './forget-history.ts';
import { refreshImages } from './catalogue/refresh-images.ts';
import { abandonLeftImages } from './images/abandon-images.ts';
import { retireComposes } from './retire.ts';

const RETIRE_EVERY = 10_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

export interface JanitorSettings {
  readonly kept: KeptDays;
  readonly keptReleases: KeptReleases;
  /** Seconds until the source of an image is looked at again. */
  readonly imageRefreshSeconds: number;
}

/**
 * Removes what has expired, ends what was given up, and finds lost work, until the signal aborts. One step that fails
 * does not stop the others. Source: ODCS contract 13.
 */
export async function startJanitor(
  context: ComposerContext,
  { kept, keptReleases, imageRefreshSeconds }: JanitorSettings,
  signal: AbortSignal,
): Promise<{ readonly stopped: Promise<void> }> {
  await startGivingUp(context);
  const { log, caches, database } = context;
  const steps = [
    () => retireComposes(context, keptReleases),
    every(MINUTE, async () => {
      const found = await enqueueLostWork(database);
      if (found > 0) log.warn({ found }, 'work without a job was found and enqueued');
    }),
    every(MINUTE, () => abandonLeftImages(context)),
    every(MINUTE, () => refreshImages(context, imageRefreshSeconds)),
    every(HOUR, async () => {
      const bytes = await caches.prune(database.clock.now());
      if (bytes > 0) log.info({ bytes }, 'what nobody uses was removed from the caches');
    }),
    every(HOUR, () => forgetEvents(context, kept.events, signal)),
    every(HOUR, () => forgetHistory(context, kept, signal)),
  ];
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      for (const step of steps) {
        await step().catch((error: unknown) => log.warn(errorFields(error), 'the janitor will try again'));
      }
      await pause(RETIRE_EVERY, undefined, { signal }).catch(() => undefined);
    }
  };
  return { stopped: run() };
}

/** Ends composes and requests whose last attempt died with its process. */
async function startGivingUp({ database, log }: ComposerContext): Promise<void> {
  const onError = (name: string, data: object, error: unknown): void => {
    log.warn({ job: name, ...data, ...errorFields(error) }, 'job ended with an error');
  };
  await database.jobs.work('compose.given-up', {
    concurrency: 1,
    onError,
    handleJob: async ({ composeId }) => {
      const isEnded = await transaction(database, (tx) => giveUpCompose(tx, composeId));
      if (isEnded) log.error({ compose: composeId }, 'compose was given up');
    },
  });
  await database.jobs.work('request.given-up', {
    concurrency: 1,
    onError,
    handleJob: async ({ requestId }) => {
      const isEnded = await transaction(database, (tx) => giveUpRequest(tx, requestId));
      if (isEnded) log.error({ request: requestId }, 'request was given up');
    },
  });
}

/** Does something when it was last done long enough ago; a step that returns false is not done yet. */
function every(milliseconds: number, work: () => Promise<boolean | void>): () => Promise<void> {
  let doneAt = -Infinity;
  return async () => {
    const now = performance.now();
    if (now - doneAt < milliseconds) return;
    if ((await work()) !== false) doneAt = now;
  };
}

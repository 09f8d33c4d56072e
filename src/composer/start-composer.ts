import type { ComposerContext } from './composer-context.ts';
import { retireComposes } from './retire.ts';
import { runCompose } from './run-compose.ts';
import { runRequest, type PlannedComposes } from './run-request.ts';
import { failStuckComposes } from './stuck-composes.ts';
import { messageOf } from '../model/errors.ts';

const PLANS_KEPT = 16;
const RETIRE_EVERY = 10_000;

/** Takes composes and requests from the queue, `concurrency` of each at a time, until the queue stops. */
export async function startComposer(context: ComposerContext, concurrency: number): Promise<void> {
  const planned: PlannedComposes = new Map();
  const onError = (name: string, data: object, error: unknown): void => {
    context.log.warn({ job: name, ...data, err: error }, 'job will be tried again');
  };
  await context.database.jobs.work('request.plan', {
    concurrency,
    onError,
    handle: ({ requestId }, attempt) => runRequest(context, planned, requestId, attempt),
  });
  await context.database.jobs.work('compose.run', {
    concurrency,
    onError,
    handle: async ({ composeId }, attempt) => {
      const plan = planned.get(composeId);
      planned.delete(composeId);
      // A plan whose job another process took must not stay for ever.
      for (const old of [...planned.keys()].slice(0, -PLANS_KEPT)) planned.delete(old);
      await runCompose(context, composeId, attempt, plan);
    },
  });
}

/** Removes what has expired and ends what is stuck, every few seconds, until the signal aborts. */
export function startJanitor(context: ComposerContext, signal: AbortSignal): Promise<void> {
  const sweep = async (): Promise<void> => {
    try {
      await retireComposes(context);
      await failStuckComposes(context);
    } catch (error) {
      context.log.warn({ error: messageOf(error) }, 'the janitor will try again');
    }
  };
  return (async () => {
    while (!signal.aborted) {
      await sweep();
      await pause(RETIRE_EVERY, signal);
    }
  })();
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

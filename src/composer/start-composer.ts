import type { ComposerContext } from './composer-context.ts';
import { forgetEvents } from './forget-events.ts';
import { retireComposes } from './retire.ts';
import { runCompose } from './run-compose.ts';
import { runRequest, type PlannedComposes } from './run-request.ts';
import { failStuckComposes, mendReusers } from './stuck-composes.ts';
import { errorFields } from '../model/errors.ts';

const PLANS_KEPT = 16;
const RETIRE_EVERY = 10_000;
const HOUR = 3_600_000;
/** Downloads outlive the composes that link to them by a day, for the next compose of the same. */
const PACKAGES_KEPT = 24 * HOUR;

/** Takes composes and requests from the queue, `concurrency` of each at a time, until the queue stops. */
export async function startComposer(context: ComposerContext, concurrency: number): Promise<void> {
  const planned: PlannedComposes = new Map();
  const onError = (name: string, data: object, error: unknown): void => {
    context.log.warn({ job: name, ...data, ...errorFields(error) }, 'job ended with an error');
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

/**
 * Removes what has expired and ends what is stuck, every few seconds, until the signal aborts. One step that fails
 * does not stop the others. Source: ODCS contract 13.
 */
export function startJanitor(
  context: ComposerContext,
  { eventsKeptDays }: { readonly eventsKeptDays: number },
  signal: AbortSignal,
): Promise<void> {
  let prunedAt = 0;
  let forgotAt = 0;
  const steps = [
    retireComposes,
    mendReusers,
    failStuckComposes,
    async ({ clock, store, log }: ComposerContext): Promise<void> => {
      const now = clock.now().getTime();
      if (now - prunedAt < HOUR) return;
      prunedAt = now;
      const bytes = store.prune(new Date(now - PACKAGES_KEPT));
      if (bytes > 0) log.info({ bytes }, 'downloaded packages that nobody uses were removed');
    },
    async (): Promise<void> => {
      const now = context.clock.now().getTime();
      if (now - forgotAt >= HOUR && (await forgetEvents(context, eventsKeptDays, signal))) forgotAt = now;
    },
  ];
  const sweep = async (): Promise<void> => {
    for (const step of steps) {
      try {
        await step(context);
      } catch (error) {
        context.log.warn(errorFields(error), 'the janitor will try again');
      }
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

import { noteProgress } from '../database/composes.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import type { ComposerContext } from './composer-context.ts';
import type { Progress } from './selection.ts';

const LOOK_EVERY = 500;

/** Looks after one running compose: cancellation, its time limit, and the progress people see. */
export interface ComposeWatch extends AsyncDisposable {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Why the compose has to stop, once it has to. */
  readonly reason: ReactorError | undefined;
}

/**
 * Starts looking after a compose. The signal aborts when somebody cancels it (`compose.cancelled`), when it has
 * taken too long (`compose.timeout`), when it has ended without us (`compose.ended_elsewhere`) and when `outer`
 * aborts.
 */
export function watchCompose(context: ComposerContext, id: number, outer: AbortSignal): ComposeWatch {
  const abort = new AbortController();
  let reason: ReactorError | undefined;
  const stop = (error: ReactorError): void => {
    reason ??= error;
    abort.abort(reason);
  };
  const limit = setTimeout(
    () =>
      stop(
        new ReactorError(
          'compose.timeout',
          `Compose has taken more time than allowed by configuration (${context.composeTimeout} seconds)`,
        ),
      ),
    context.composeTimeout * 1000,
  );
  let latest: Parameters<Progress> | undefined;
  let noted: Parameters<Progress> | undefined;
  let looking = Promise.resolve();
  const look = async (): Promise<void> => {
    const { handle } = context.database;
    const row = await handle
      .selectFrom('composes')
      .select(['cancel_requested_by', 'state'])
      .where('id', '=', id)
      .executeTakeFirst();
    const by = row?.cancel_requested_by ?? null;
    if (by !== null) stop(new ReactorError('compose.cancelled', `Canceled by ${by}`));
    else if (row?.state !== 'generating') {
      stop(new ReactorError('compose.ended_elsewhere', 'The compose was ended while it was being made.'));
    }
    if (latest !== undefined && latest !== noted) {
      noted = latest;
      const [stage, done, total, unit] = latest;
      await noteProgress(handle, id, { stage, done, total, unit });
    }
  };
  const timer = setInterval(() => {
    looking = looking.then(look).catch((error: unknown) => {
      context.log.debug({ compose: id, error: messageOf(error) }, 'the watch could not look');
    });
  }, LOOK_EVERY);
  return {
    signal: AbortSignal.any([abort.signal, outer]),
    progress: (...progress) => {
      latest = progress;
    },
    get reason() {
      return reason;
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(limit);
      clearInterval(timer);
      await looking;
    },
  };
}

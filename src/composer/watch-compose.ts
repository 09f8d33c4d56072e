import { noteActivity } from '../activity.ts';
import { noteProgress } from '../database/composes.ts';
import { LEASE_SECONDS } from '../database/job-queues.ts';
import type { HeldCompose } from '../lifecycle/move-compose.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import type { ComposerContext } from './composer-context.ts';
import type { Progress } from './selection.ts';
import type { StageRecord } from './stage-record.ts';

const LOOK_EVERY = 500;
const LEASE_MS = LEASE_SECONDS * 1000;

/** Looks after one running compose: cancellation, its time limit, and the progress people see. */
export interface ComposeWatch extends AsyncDisposable {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Lets the compose take so many seconds from now, or for ever, instead of what the settings say. */
  readonly limitTime: (seconds: number | null) => void;
  /** Why the compose has to stop, once it has to. */
  readonly reason: ReactorError | undefined;
  /** Whether this process gave no sign of life for so long that another may have the compose. */
  readonly isLeaseLost: boolean;
}

export type WatchContext = Pick<ComposerContext, 'database' | 'log' | 'composeTimeout'>;

export interface WatchOptions {
  readonly outer: AbortSignal;
  /** What is noted of the stages, shown beside the progress. */
  readonly stages?: StageRecord;
  /** Milliseconds of a clock that nobody sets; it goes on while the process is stopped. */
  readonly monotonic?: () => number;
}

/**
 * Starts looking after a compose. The signal aborts when somebody cancels it (`compose.cancelled`), when it has
 * taken too long (`compose.timeout`), when it has ended without us (`compose.ended_elsewhere`) and when `outer`
 * aborts. A process that slept past its lease only finds that out: its own time limit no longer counts.
 */
export function watchCompose(
  context: WatchContext,
  held: HeldCompose,
  { outer, stages, monotonic = () => performance.now() }: WatchOptions,
): ComposeWatch {
  const { id } = held;
  const abort = new AbortController();
  let reason: ReactorError | undefined;
  let awakeAt = monotonic();
  let isLeaseLost = false;
  const noticeSleep = (): boolean => {
    const now = monotonic();
    isLeaseLost ||= now - awakeAt > LEASE_MS;
    awakeAt = now;
    if (isLeaseLost) {
      abort.abort(
        new ReactorError('compose.lease_lost', 'This process slept past its lease.', { fate: 'retry' }),
      );
    }
    return isLeaseLost;
  };
  const stop = (error: ReactorError): void => {
    reason ??= error;
    abort.abort(reason);
  };
  let limit: NodeJS.Timeout | undefined;
  const limitTime = (seconds: number | null): void => {
    clearTimeout(limit);
    if (seconds === null) return;
    limit = setTimeout(() => {
      if (noticeSleep()) return;
      stop(
        new ReactorError(
          'compose.timeout',
          `Compose has taken more time than allowed by configuration (${seconds} seconds)`,
        ),
      );
    }, seconds * 1000);
  };
  limitTime(context.composeTimeout);
  let latest: Parameters<Progress> | undefined;
  let noted: Parameters<Progress> | undefined;
  let looking = Promise.resolve();
  let notedStages = 0;
  const note = async (): Promise<void> => {
    const isFurther = latest !== undefined && latest !== noted;
    const times = stages?.version === notedStages ? null : stages?.times({ isEnd: false });
    if (!isFurther && !times) return;
    noted = latest;
    notedStages = stages?.version ?? 0;
    const [stage, done, total, unit] = latest ?? [];
    await noteProgress(context.database.kysely, held, {
      ...(stage === undefined || done === undefined || total === undefined || unit === undefined
        ? {}
        : { progress: { stage, done, total, unit } }),
      ...(times ? { stages: times } : {}),
    });
  };
  const look = async (): Promise<void> => {
    const { kysely } = context.database;
    const row = await kysely
      .selectFrom('composes')
      .select(['cancel_requested_by', 'state', 'attempt'])
      .where('id', '=', id)
      .executeTakeFirst();
    const by = row?.cancel_requested_by ?? null;
    if (row?.state !== 'generating' || row.attempt !== held.attempt) {
      stop(new ReactorError('compose.ended_elsewhere', 'The compose was ended while it was being made.'));
    } else if (by !== null) stop(new ReactorError('compose.cancelled', `Canceled by ${by}`));
    await note();
  };
  const timer = setInterval(() => {
    if (noticeSleep()) return;
    looking = looking.then(look).catch((error: unknown) => {
      context.log.debug({ compose: id, error: messageOf(error) }, 'the watch could not look');
    });
  }, LOOK_EVERY);
  return {
    signal: AbortSignal.any([abort.signal, outer]),
    progress: (...progress) => {
      latest = progress;
      noteActivity(`compose ${id}: ${progress[0]}`);
    },
    limitTime,
    get reason() {
      return reason;
    },
    get isLeaseLost() {
      return isLeaseLost;
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(limit);
      clearInterval(timer);
      await looking;
    },
  };
}

import type { PGlite } from '@electric-sql/pglite';
import { PgBoss, fromKysely, fromPglite, type JobResult, type JobWithMetadata } from 'pg-boss';
import type { Priority } from '../model/compose.ts';
import { noteActivity } from '../activity.ts';
import { ReactorError, messageOf } from '../model/errors.ts';
import type { TransactionHandle } from './database-handle.ts';
import {
  FINISHED_KEPT_SECONDS,
  formerQueues,
  listQueues,
  LONGEST_RETRY_DELAY,
  priorityNumbers,
  queues,
  type JobData,
  type JobName,
} from './job-queues.ts';
import { assertOutsideTransaction } from './transaction-guard.ts';

/** A timer is not to fire before the database agrees that a job is due. */
const WAKE_MARGIN_MS = 250;

/** Every so many seconds one process looks for jobs whose worker is dead. */
const LOOK_FOR_DEAD_EVERY = 5;
/** How long a complaint of the queue makes it unwell. */
const COMPLAINTS_KEPT_MS = 120_000;
/** Every so many seconds finished jobs are forgotten that were kept long enough. */
const FORGET_EVERY = 300;

type QueueDatabase = ReturnType<typeof fromPglite>;

export type JobsBackend =
  | { readonly kind: 'embedded'; readonly embedded: PGlite }
  | { readonly kind: 'postgresql'; readonly url: string };

export interface SendOptions {
  readonly priority?: Priority;
  readonly startAfter?: Date;
  /** What the policy of the queue counts by. */
  readonly key?: string;
}

interface TransactionalSendOptions extends SendOptions {
  /** The transaction the job belongs to: it exists if and only if that commits. */
  readonly transaction?: TransactionHandle;
}

/** What a handler knows of the attempt it makes. */
export interface JobAttempt {
  /** Aborted when the lease is lost or the queue stops. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt. */
  readonly number: number;
  /** Whether a failure now is final. */
  readonly isLast: boolean;
}

export interface WorkOptions<N extends JobName> {
  readonly concurrency: number;
  /** Jobs fetched at once and handled one after the other; for short jobs that come in crowds. */
  readonly batch?: number;
  /** A thrown ReactorError whose fate is not `retry` ends the job; anything else that is thrown is tried again. */
  readonly handle: (data: JobData[N], attempt: JobAttempt) => Promise<void>;
  readonly onError: (name: N, data: JobData[N], error: unknown) => void;
}

/** How jobs are handled that come in crowds and are cheaper together. */
export interface WorkTogetherOptions<N extends JobName> extends Pick<
  WorkOptions<N>,
  'concurrency' | 'onError'
> {
  readonly batch: number;
  /** Handles all or none. Where it throws for many, each is handled alone, so that one does not fail the others. */
  readonly handleAll: (data: readonly JobData[N][]) => Promise<void>;
}

/** Jobs on PostgreSQL: leases, retries, priorities; woken by NOTIFY, polled only as a fallback. */
export class Jobs {
  readonly #boss: PgBoss;
  readonly #complaints: QueueComplaints;
  #stopping: Promise<void> | undefined;

  private constructor(boss: PgBoss, complaints: QueueComplaints) {
    this.#boss = boss;
    this.#complaints = complaints;
  }

  /**
   * Creates the queues where they are missing and fills the queue cache, so that sends in transactions need no other
   * statement. What the queue complains about goes to `onComplaint`.
   */
  static async open(backend: JobsBackend, onComplaint: (complaint: string) => void): Promise<Jobs> {
    const shared = {
      schema: 'pgboss',
      useListenNotify: true,
      schedule: false,
      monitorVacuum: false,
      reindex: false,
      superviseIntervalSeconds: LOOK_FOR_DEAD_EVERY,
      monitorIntervalSeconds: LOOK_FOR_DEAD_EVERY,
      maintenanceIntervalSeconds: FORGET_EVERY,
    } as const;
    const boss =
      backend.kind === 'embedded'
        ? new PgBoss({ ...shared, db: guarded(fromPglite(backend.embedded)), backend: 'pglite' })
        : new PgBoss({
            ...shared,
            connectionString: backend.url,
            max: 6,
            application_name: 'odcs-reactor jobs',
          });
    const complaints = new QueueComplaints(onComplaint);
    boss.on('error', (error) => complaints.note(messageOf(error)));
    boss.on('warning', (warning) => complaints.note(warning.message));
    await boss.start();
    await createQueues(boss);
    if (backend.kind === 'embedded') await failOrphans(boss);
    return new Jobs(boss, complaints);
  }

  /** What the queue complained about in the last minutes, for health. */
  get complaints(): readonly string[] {
    return this.#complaints.recent();
  }

  /** Enqueues one job; with a transaction, atomically with it. */
  async send<N extends JobName>(
    name: N,
    data: JobData[N],
    options: TransactionalSendOptions = {},
  ): Promise<void> {
    if (options.transaction === undefined) assertOutsideTransaction();
    await this.#boss.send(name, data, {
      priority: priorityNumbers[options.priority ?? 'normal'],
      ...(options.startAfter === undefined ? {} : { startAfter: options.startAfter }),
      ...(options.key === undefined ? {} : { singletonKey: options.key }),
      ...(options.transaction === undefined ? {} : { db: fromKysely(options.transaction) }),
    });
  }

  /** Enqueues many jobs of one kind in one statement. */
  async sendAll<N extends JobName>(
    name: N,
    data: readonly JobData[N][],
    options: TransactionalSendOptions = {},
  ): Promise<void> {
    if (data.length === 0) return;
    if (options.transaction === undefined) assertOutsideTransaction();
    const priority = priorityNumbers[options.priority ?? 'normal'];
    await this.#boss.insert(
      name,
      data.map((one) => ({ data: one, priority })),
      options.transaction === undefined ? {} : { db: fromKysely(options.transaction) },
    );
  }

  /** Handles jobs of one kind, `concurrency` at a time, until `stop`. */
  async work<N extends JobName>(name: N, options: WorkOptions<N>): Promise<void> {
    await this.#fetch(name, options, handleInTurn);
  }

  async #fetch<N extends JobName>(
    name: N,
    options: WorkOptions<N>,
    handleJobs: (
      jobs: readonly JobWithMetadata<JobData[N]>[],
      handleOne: (job: JobWithMetadata<JobData[N]>) => Promise<JobResult>,
    ) => Promise<JobResult[]>,
  ): Promise<void> {
    const { heartbeatSeconds } = queues[name];
    const fetching = {
      includeMetadata: true as const,
      perJobResults: true as const,
      localConcurrency: options.concurrency,
      pollingIntervalSeconds: 1,
      notifyPollingIntervalSeconds: 5,
      // A batch that came full is followed by the next at once; only an empty queue is waited for.
      batchSize: options.batch ?? 1,
      burstWhenBatchFull: true,
      ...(heartbeatSeconds === undefined ? {} : { heartbeatRefreshSeconds: heartbeatSeconds / 4 }),
    };
    let workerId: string | undefined;
    // Nothing notifies of a job that becomes due again; without a timer the next poll would find it, seconds later.
    const wakeForRetry = (failures: number): void => {
      const longest = queues[name].retryDelayMax ?? LONGEST_RETRY_DELAY;
      const latest = Math.min(longest, queues[name].retryDelay * 2 ** Math.min(failures, 16));
      const wake = (): void => (workerId === undefined ? undefined : this.#boss.notifyWorker(workerId));
      setTimeout(wake, latest * 1000 + WAKE_MARGIN_MS).unref();
    };
    const handleOne = async (job: JobWithMetadata<JobData[N]>): Promise<JobResult> => {
      try {
        noteActivity(`${name} ${JSON.stringify(job.data)}`);
        const isLast = job.retryCount >= job.retryLimit;
        await options.handle(job.data, { signal: job.signal, number: job.retryCount + 1, isLast });
      } catch (error) {
        options.onError(name, job.data, error);
        const isOver = error instanceof ReactorError && error.fate !== 'retry';
        if (!isOver) {
          wakeForRetry(job.retryCount + 1);
          return { id: job.id, status: 'failed', output: { message: messageOf(error) } };
        }
      }
      return { id: job.id, status: 'completed' };
    };
    workerId = await this.#boss.work<JobData[N], void, typeof fetching>(name, fetching, (jobs) =>
      handleJobs(jobs, handleOne),
    );
  }

  /** Handles jobs of one kind many at a time, until `stop`. */
  async workTogether<N extends JobName>(name: N, options: WorkTogetherOptions<N>): Promise<void> {
    const { concurrency, batch, onError, handleAll } = options;
    const handle = (data: JobData[N]): Promise<void> => handleAll([data]);
    await this.#fetch(name, { concurrency, batch, onError, handle }, async (jobs, handleOne) => {
      if (jobs.length > 1) {
        try {
          await handleAll(jobs.map(({ data }) => data));
          return jobs.map(({ id }) => ({ id, status: 'completed' }));
        } catch {
          // Whose fault it is shows when each is handled alone.
        }
      }
      return handleInTurn(jobs, handleOne);
    });
  }

  /** Gives the jobs of a key that wait another place in their queue; those that run are left alone. */
  async prioritise<N extends JobName>(name: N, key: string, priority: number): Promise<void> {
    assertOutsideTransaction();
    await this.#boss.update(name, undefined, { singletonKey: key, priority, match: 'all' });
  }

  /** Whether a job of a key waits or runs. */
  async isKnown<N extends JobName>(name: N, key: string): Promise<boolean> {
    assertOutsideTransaction();
    const jobs = await this.#boss.findJobs(name, { key });
    return jobs.some(({ state }) => state === 'created' || state === 'retry' || state === 'active');
  }

  /** Whether no job of a kind waits or runs, as of a minute ago at most. */
  async isIdle(name: JobName): Promise<boolean> {
    assertOutsideTransaction();
    const [counted] = await this.#boss.getQueueStats(name, { force: true });
    return counted !== undefined && counted.queuedCount === 0 && counted.activeCount === 0;
  }

  /** How many jobs of each kind wait, run, and failed for good. */
  async counts(): Promise<Record<string, { queued: number; active: number; failed: number }>> {
    const rows = await this.#boss.getQueues([...listQueues()]);
    return Object.fromEntries(
      rows.map((row) => [
        row.name,
        { queued: row.queuedCount, active: row.activeCount, failed: row.failedCount },
      ]),
    );
  }

  /** Lets running handlers end (10 s at most), then closes the queue's connections. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#boss.stop({ graceful: true, timeout: 10_000, close: true }));
  }
}

async function handleInTurn<T>(
  jobs: readonly T[],
  handleOne: (job: T) => Promise<JobResult>,
): Promise<JobResult[]> {
  const results: JobResult[] = [];
  for (const job of jobs) results.push(await handleOne(job));
  return results;
}

/** Creates or updates the queues. Jobs that an earlier version left in a queue of another name are looked for by the sweeps. */
async function createQueues(boss: PgBoss): Promise<void> {
  for (const name of listQueues()) {
    const { policy, ...settings } = {
      retryDelayMax: LONGEST_RETRY_DELAY,
      ...queues[name],
      retryBackoff: true,
      deleteAfterSeconds: FINISHED_KEPT_SECONDS,
      notify: true,
    };
    if ((await boss.getQueue(name)) !== null) await boss.updateQueue(name, settings);
    else await boss.createQueue(name, { ...settings, ...(policy === undefined ? {} : { policy }) });
    await boss.findJobs(name, { id: '00000000-0000-0000-0000-000000000000' });
  }
  for (const name of formerQueues) {
    if ((await boss.getQueue(name)) !== null) await boss.deleteQueue(name);
  }
}

/**
 * Ends the attempts of a process that died: on the embedded database this process is the only worker, so whatever is
 * active belonged to one that is gone. Each counts towards the limit of its job.
 */
async function failOrphans(boss: PgBoss): Promise<void> {
  for (const name of listQueues()) {
    const active = (await boss.findJobs(name)).filter(({ state }) => state === 'active');
    if (active.length === 0) continue;
    await boss.fail(
      name,
      active.map(({ id, retryCount }) => ({ id, retryCount })),
      { message: 'The process that made the attempt died.' },
    );
  }
}

/** The last complaints of a queue, each for a while. */
class QueueComplaints {
  readonly #tell: (complaint: string) => void;
  #noted: readonly { readonly at: number; readonly text: string }[] = [];

  constructor(tell: (complaint: string) => void) {
    this.#tell = tell;
  }

  note(text: string): void {
    this.#noted = [...this.#noted.slice(-19), { at: performance.now(), text }];
    this.#tell(text);
  }

  recent(): readonly string[] {
    const since = performance.now() - COMPLAINTS_KEPT_MS;
    return this.#noted.filter(({ at }) => at >= since).map(({ text }) => text);
  }
}

function guarded(db: QueueDatabase): QueueDatabase {
  return {
    ...db,
    executeSql: (text, values) => {
      assertOutsideTransaction();
      return db.executeSql(text, values);
    },
  };
}

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
import { Complaints } from './complaints.ts';
import { failingAsDatabase } from './database-failure.ts';
import type { PostgresqlConnections } from './postgresql-connections.ts';
import { assertOutsideTransaction } from './transaction-guard.ts';

/** A timer is not to fire before the database agrees that a job is due. */
const WAKE_MARGIN_MS = 250;

/** Every so many seconds one process looks for jobs whose worker is dead. */
const LOOK_FOR_DEAD_EVERY = 5;
/** Every so many seconds finished jobs are forgotten that were kept long enough. */
const FORGET_EVERY = 300;
/** How long the end of running jobs is waited for where nobody says otherwise. */
const ENDING_MS = 10_000;
const CONNECTIONS = 6;

type QueueDatabase = ReturnType<typeof fromPglite>;

export type JobsBackend =
  | { readonly kind: 'embedded'; readonly embedded: PGlite }
  | { readonly kind: 'postgresql'; readonly connections: PostgresqlConnections };

export interface JobsOptions {
  /** What the queue complains about goes here. */
  readonly complaints: Complaints;
  /** Whether the tables of the queue are made and brought up to date. */
  readonly isPreparing: boolean;
}

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
  /** Further places, for jobs of priority `security` alone: however much else runs, one is free for them. */
  readonly urgentPlaces?: number;
  /** Jobs fetched at once and handled one after the other; for short jobs that come in crowds. */
  readonly batch?: number;
  /** A thrown ReactorError whose fate is not `retry` ends the job; anything else that is thrown is tried again. */
  readonly handleJob: (data: JobData[N], attempt: JobAttempt) => Promise<void>;
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
  readonly #complaints: Complaints;
  readonly #working = new Set<JobName>();
  #stopping: Promise<void> | undefined;

  private constructor(boss: PgBoss, complaints: Complaints) {
    this.#boss = boss;
    this.#complaints = complaints;
  }

  /**
   * Opens the queues, creates them where they are missing and fills the queue cache, so that sends in transactions need
   * no other statement.
   */
  static async open(backend: JobsBackend, { complaints, isPreparing }: JobsOptions): Promise<Jobs> {
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
            ...backend.connections.options('jobs'),
            max: CONNECTIONS,
            migrate: isPreparing,
          });
    boss.on('error', (error) => complaints.note(messageOf(error)));
    boss.on('warning', (warning) => complaints.note(warning.message));
    try {
      await boss.start();
      if (isPreparing) await createQueues(boss);
      await fillQueueCache(boss);
      if (backend.kind === 'embedded') await failOrphans(boss);
    } catch (error) {
      await boss.stop({ graceful: false, close: true }).catch(() => undefined);
      throw error;
    }
    return new Jobs(boss, complaints);
  }

  /** Makes the tables of the queue, or brings them up to date, on connections that wait as long as it takes. */
  static async prepare(connections: PostgresqlConnections): Promise<void> {
    const boss = new PgBoss({
      ...connections.options('migration'),
      schema: 'pgboss',
      max: 2,
      supervise: false,
      schedule: false,
    });
    boss.on('error', () => undefined);
    await boss.start();
    try {
      await createQueues(boss);
    } finally {
      await boss.stop({ graceful: false, close: true });
    }
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
    await failingAsDatabase(() =>
      this.#boss.send(name, data, {
        priority: priorityNumbers[options.priority ?? 'normal'],
        ...(options.startAfter === undefined ? {} : { startAfter: options.startAfter }),
        ...(options.key === undefined ? {} : { singletonKey: options.key }),
        ...(options.transaction === undefined ? {} : { db: fromKysely(options.transaction) }),
      }),
    );
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
    await failingAsDatabase(() =>
      this.#boss.insert(
        name,
        data.map((job) => ({ data: job, priority })),
        options.transaction === undefined ? {} : { db: fromKysely(options.transaction) },
      ),
    );
  }

  /** Handles jobs of one kind, `concurrency` at a time and urgent ones beside them, until `stopWorking` or `stop`. */
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
    this.#working.add(name);
    const { heartbeatSeconds } = queues[name];
    const batchSize = options.batch ?? 1;
    const fetching = {
      includeMetadata: true as const,
      perJobResults: true as const,
      pollingIntervalSeconds: 1,
      notifyPollingIntervalSeconds: 5,
      // A batch that came full is followed by the next at once; only an empty queue is waited for.
      batchSize,
      burstWhenBatchFull: true,
      ...(heartbeatSeconds === undefined ? {} : { heartbeatRefreshSeconds: heartbeatSeconds / 4 }),
    };
    const workerIds: string[] = [];
    // Nothing notifies of a job that becomes due again; without a timer the next poll would find it, seconds later.
    const wakeForRetry = (failures: number): void => {
      const longest = queues[name].retryDelayMax ?? LONGEST_RETRY_DELAY;
      const latest = Math.min(longest, queues[name].retryDelay * 2 ** Math.min(failures, 16));
      const wake = (): void => workerIds.forEach((id) => this.#boss.notifyWorker(id));
      setTimeout(wake, latest * 1000 + WAKE_MARGIN_MS).unref();
    };
    const handleOne = async (job: JobWithMetadata<JobData[N]>): Promise<JobResult> => {
      try {
        noteActivity(`${name} ${JSON.stringify(job.data)}`);
        const isLast = job.retryCount >= job.retryLimit;
        await options.handleJob(job.data, { signal: job.signal, number: job.retryCount + 1, isLast });
      } catch (thrown) {
        const error = job.signal.aborted ? interrupted(thrown) : thrown;
        options.onError(name, job.data, error);
        const isOver = error instanceof ReactorError && error.fate !== 'retry';
        if (!isOver) {
          wakeForRetry(job.retryCount + 1);
          return { id: job.id, status: 'failed', output: { message: messageOf(error) } };
        }
      }
      return { id: job.id, status: 'completed' };
    };
    const places = options.concurrency + (options.urgentPlaces ?? 0);
    for (let at = 0; at < places; at += 1) {
      const isUrgent = at >= options.concurrency;
      const kinds = { ...fetching, ...(isUrgent ? { minPriority: priorityNumbers.security } : {}) };
      workerIds[at] = await this.#boss.work<JobData[N], void, typeof kinds>(name, kinds, (jobs) => {
        // Of single jobs none counts as a full batch, and a crowd of them was told of once: without this the next one
        // would be found seconds later.
        const id = workerIds[at];
        if (batchSize === 1 && id !== undefined) this.#boss.notifyWorker(id);
        return handleJobs(jobs, handleOne);
      });
    }
  }

  /** Handles jobs of one kind many at a time, until `stop`. */
  async workTogether<N extends JobName>(name: N, options: WorkTogetherOptions<N>): Promise<void> {
    const { concurrency, batch, onError, handleAll } = options;
    const handleJob = (data: JobData[N]): Promise<void> => handleAll([data]);
    await this.#fetch(name, { concurrency, batch, onError, handleJob }, async (jobs, handleOne) => {
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
    await failingAsDatabase(() =>
      this.#boss.update(name, undefined, { singletonKey: key, priority, match: 'all' }),
    );
  }

  /** Whether a job of a key waits or runs. */
  async isKnown<N extends JobName>(name: N, key: string): Promise<boolean> {
    assertOutsideTransaction();
    const jobs = await failingAsDatabase(() => this.#boss.findJobs(name, { key }));
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
    const rows = await failingAsDatabase(() => this.#boss.getQueues([...listQueues()]));
    return Object.fromEntries(
      rows.map((row) => [
        row.name,
        { queued: row.queuedCount, active: row.activeCount, failed: row.failedCount },
      ]),
    );
  }

  /**
   * Takes no more jobs and waits for those that run, so many milliseconds at most. Jobs can still be sent. Returns
   * whether all have ended.
   */
  async stopWorking(waitMs = ENDING_MS): Promise<boolean> {
    if (this.#stopping !== undefined) return true;
    const ended = Promise.all([...this.#working].map((name) => this.#boss.offWork(name, { wait: true })));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), waitMs);
    });
    return Promise.race([ended.then(() => true), late]).finally(() => clearTimeout(timer));
  }

  /** Lets running handlers end, so many milliseconds at most, gives up those that do not, and closes the connections. */
  stop(waitMs = ENDING_MS): Promise<void> {
    return (this.#stopping ??= this.#boss.stop({ graceful: waitMs > 0, timeout: waitMs, close: true }));
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
  }
  for (const name of formerQueues) {
    if ((await boss.getQueue(name)) !== null) await boss.deleteQueue(name);
  }
}

/** Lets the queue read what it knows of each queue, which it would otherwise do at the first send. */
async function fillQueueCache(boss: PgBoss): Promise<void> {
  for (const name of listQueues()) await boss.findJobs(name, { id: '00000000-0000-0000-0000-000000000000' });
}

/** What a job threw that was told to stop; a foreseen reason stays. */
function interrupted(thrown: unknown): ReactorError {
  if (thrown instanceof ReactorError) return thrown;
  return new ReactorError('job.interrupted', 'The process stops, or lost the job: it goes on elsewhere.', {
    fate: 'retry',
    cause: thrown,
  });
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

function guarded(db: QueueDatabase): QueueDatabase {
  return {
    ...db,
    executeSql: (text, values) => {
      assertOutsideTransaction();
      return db.executeSql(text, values);
    },
  };
}

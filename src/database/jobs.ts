import type { PGlite } from '@electric-sql/pglite';
import { PgBoss, fromKysely, fromPglite, type JobResult, type JobWithMetadata } from 'pg-boss';
import { ReactorError, messageOf } from '../model/errors.ts';
import type { Priority } from '../model/compose.ts';
import { assertOutsideTransaction, type TransactionHandle } from './transaction.ts';

/** What each kind of job carries: ids only, the handler reads the row again. */
export interface JobData {
  /** A stored event is to be matched against the rules. */
  'event.match': { readonly eventId: number };
  /** A settle window has closed and is to be decided. */
  'window.close': { readonly windowId: number };
  /** A rule's request is to be planned, and composed if anything changed. */
  'request.plan': { readonly requestId: number };
  /** A compose is to be planned and built. */
  'compose.run': { readonly composeId: number };
  /** Compose states are to be announced on the buses. */
  announce: Record<string, never>;
  /** An event is to be enriched with what the bus did not say. */
  'event.enrich': { readonly eventId: number };
  /** A decision of a rule is to be told; `word` where its outcome is not the news. */
  'rule.notify': { readonly decisionId: number; readonly word?: 'overdue' };
  /** A webhook is to be told. */
  'rule.webhook': { readonly url: string; readonly body: object };
  /** What a build says of its packages is to be read before a compose asks. Lost without harm. */
  'build.warm': { readonly nvr: string };
}
export type JobName = keyof JobData;

/** Failed jobs are tried again after pauses that double up to this many seconds. */
const LONGEST_RETRY_DELAY = 60;
/** A timer is not to fire before the database agrees that a job is due. */
const WAKE_MARGIN_MS = 250;

/** Every so many seconds one process looks for jobs whose worker is dead. */
const LOOK_FOR_DEAD_EVERY = 5;

/**
 * How each queue treats failure. Leases are heartbeats: on PostgreSQL the job of a process that died is taken over
 * within `heartbeatSeconds` and the time until somebody looks, about 20 seconds, on the embedded database as soon
 * as it is opened again.
 */
const queues: Record<
  JobName,
  { retryLimit: number; retryDelay: number; heartbeatSeconds?: number; expireInSeconds: number }
> = {
  'event.match': { retryLimit: 20, retryDelay: 1, expireInSeconds: 120 },
  'event.enrich': { retryLimit: 50, retryDelay: 5, expireInSeconds: 300 },
  'build.warm': { retryLimit: 0, retryDelay: 1, expireInSeconds: 600 },
  'window.close': { retryLimit: 20, retryDelay: 1, expireInSeconds: 120 },
  'request.plan': { retryLimit: 10, retryDelay: 1, heartbeatSeconds: 15, expireInSeconds: 14_400 },
  'compose.run': { retryLimit: 10, retryDelay: 1, heartbeatSeconds: 15, expireInSeconds: 14_400 },
  'rule.notify': { retryLimit: 20, retryDelay: 1, expireInSeconds: 120 },
  'rule.webhook': { retryLimit: 100, retryDelay: 1, expireInSeconds: 120 },
  announce: { retryLimit: 1_000, retryDelay: 1, expireInSeconds: 120 },
};
const queueNames = Object.keys(queues) as JobName[];

type QueueDatabase = ReturnType<typeof fromPglite>;

const priorityNumbers: Record<Priority, number> = { security: 20, normal: 10, bulk: 0 };

export type JobsBackend =
  | { readonly kind: 'embedded'; readonly embedded: PGlite }
  | { readonly kind: 'postgresql'; readonly url: string };

export interface SendOptions {
  /** The transaction the job belongs to: it exists if and only if that commits. */
  readonly transaction?: TransactionHandle;
  readonly priority?: Priority;
  readonly startAfter?: Date;
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

/** Jobs on PostgreSQL: leases, retries, priorities; woken by NOTIFY, polled only as a fallback. */
export class Jobs {
  readonly #boss: PgBoss;
  readonly #warnings: string[] = [];
  #stopping: Promise<void> | undefined;

  private constructor(boss: PgBoss) {
    this.#boss = boss;
    const remember = (text: string): void => {
      this.#warnings.push(text);
      if (this.#warnings.length > 20) this.#warnings.shift();
    };
    boss.on('error', (error) => remember(messageOf(error)));
    boss.on('warning', (warning) => remember(warning.message));
  }

  /** Creates the queues where they are missing and fills the queue cache, so that sends in transactions need no other statement. */
  static async open(backend: JobsBackend): Promise<Jobs> {
    const shared = {
      schema: 'pgboss',
      useListenNotify: true,
      schedule: false,
      monitorVacuum: false,
      reindex: false,
      superviseIntervalSeconds: LOOK_FOR_DEAD_EVERY,
      monitorIntervalSeconds: LOOK_FOR_DEAD_EVERY,
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
    const jobs = new Jobs(boss);
    await boss.start();
    for (const name of queueNames) {
      const settings = {
        ...queues[name],
        retryBackoff: true,
        retryDelayMax: LONGEST_RETRY_DELAY,
        notify: true,
      };
      if ((await boss.getQueue(name)) === null) await boss.createQueue(name, settings);
      else await boss.updateQueue(name, settings);
      await boss.findJobs(name, { id: '00000000-0000-0000-0000-000000000000' });
    }
    if (backend.kind === 'embedded') await releaseOrphans(backend.embedded);
    return jobs;
  }

  /** Recent complaints of the queue, for health. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Enqueues one job; with a transaction, atomically with it. */
  async send<N extends JobName>(name: N, data: JobData[N], options: SendOptions = {}): Promise<void> {
    if (options.transaction === undefined) assertOutsideTransaction();
    await this.#boss.send(name, data, {
      priority: priorityNumbers[options.priority ?? 'normal'],
      ...(options.startAfter === undefined ? {} : { startAfter: options.startAfter }),
      ...(options.transaction === undefined ? {} : { db: fromKysely(options.transaction) }),
    });
  }

  /** Enqueues many jobs of one kind in one statement. */
  async sendAll<N extends JobName>(
    name: N,
    data: readonly JobData[N][],
    options: SendOptions = {},
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
      const latest = Math.min(LONGEST_RETRY_DELAY, queues[name].retryDelay * 2 ** Math.min(failures, 16));
      const wake = (): void => (workerId === undefined ? undefined : this.#boss.notifyWorker(workerId));
      setTimeout(wake, latest * 1000 + WAKE_MARGIN_MS).unref();
    };
    const handleOne = async (job: JobWithMetadata<JobData[N]>): Promise<JobResult> => {
      try {
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
    workerId = await this.#boss.work<JobData[N], void, typeof fetching>(name, fetching, async (jobs) => {
      const results: JobResult[] = [];
      for (const job of jobs) results.push(await handleOne(job));
      return results;
    });
  }

  /** How many jobs of each kind wait, run, and failed for good. */
  async counts(): Promise<Record<string, { queued: number; active: number; failed: number }>> {
    const rows = await this.#boss.getQueues(queueNames);
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

/** On the embedded database this process is the only worker: whatever was active belonged to one that died. */
async function releaseOrphans(embedded: PGlite): Promise<void> {
  await embedded.query(
    `update pgboss.job set state = 'retry', start_after = now(), retry_count = least(retry_count, retry_limit - 1) where state = 'active'`,
  );
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

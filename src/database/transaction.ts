import type { DatabaseClock } from './database-clock.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';
import type { JobData, JobName } from './job-queues.ts';
import type { Jobs, SendOptions } from './jobs.ts';
import { ReactorError } from '../model/errors.ts';
import {
  assertOutsideTransaction,
  runInsideTransaction,
  runOpeningTransaction,
} from './transaction-guard.ts';

/** All that belongs together: it happens whole, or not at all. */
export interface UnitOfWork {
  /** Runs statements. Nothing else may be asked inside: no other handle, no network, no sleep. */
  readonly sql: TransactionHandle;
  /** The database's time when the unit of work began. */
  readonly now: Date;
  /** Enqueues a job, which exists if and only if the unit of work commits. */
  send<N extends JobName>(name: N, data: JobData[N], options?: SendOptions): Promise<void>;
  /** Enqueues many jobs of one kind in one statement. */
  sendAll<N extends JobName>(name: N, data: readonly JobData[N][], options?: SendOptions): Promise<void>;
  /** Enqueues a job once all is committed. It may be lost: only for what is looked for regularly as well. */
  sendAfterwards<N extends JobName>(name: N, data: JobData[N]): void;
}

/** What a unit of work is done in; an open database is one. */
export interface TransactionContext {
  readonly kysely: DatabaseHandle;
  readonly jobs: Jobs;
  readonly clock: DatabaseClock;
}

const ATTEMPTS = 4;

/**
 * Runs `work` in one transaction and returns what it returns; a throw rolls back. Where PostgreSQL ends one of
 * two transactions that wait for each other, it is run again. The guard throws where `work` uses anything but
 * its unit of work. Throws what failures of the database mean, of fate `retry`: `database.busy`, `database.away` …
 */
export async function transaction<T>(
  context: TransactionContext,
  work: (tx: UnitOfWork) => Promise<T>,
): Promise<T> {
  assertOutsideTransaction();
  for (let attempt = 1; ; attempt++) {
    const afterwards: (() => Promise<void>)[] = [];
    try {
      const result = await runOpeningTransaction(() =>
        context.kysely.transaction().execute(async (guarded) => {
          const sql = guarded.withoutPlugins();
          const now = await context.clock.read(sql);
          const tx = createUnitOfWork(context.jobs, sql, now, afterwards);
          return runInsideTransaction(() => work(tx));
        }),
      );
      for (const send of afterwards) await send().catch(() => undefined);
      return result;
    } catch (error) {
      if (attempt === ATTEMPTS || !isDeadlock(error)) throw error;
    }
  }
}

function createUnitOfWork(
  jobs: Jobs,
  sql: TransactionHandle,
  now: Date,
  afterwards: (() => Promise<void>)[],
): UnitOfWork {
  return {
    sql,
    now,
    send: (name, data, options = {}) => jobs.send(name, data, { ...options, transaction: sql }),
    sendAll: (name, data, options = {}) => jobs.sendAll(name, data, { ...options, transaction: sql }),
    sendAfterwards: (name, data) => void afterwards.push(() => jobs.send(name, data)),
  };
}

/** PostgreSQL's `deadlock_detected` and `serialization_failure`: the same again may work at once. */
function isDeadlock(error: unknown): boolean {
  const answer = error instanceof ReactorError ? error.cause : error;
  return answer instanceof Error && 'code' in answer && (answer.code === '40P01' || answer.code === '40001');
}

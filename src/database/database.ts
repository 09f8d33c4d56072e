import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool, TypeOverrides } from 'pg';
import { ReactorError, messageOf } from '../model/errors.ts';
import type { Clock } from '../clock.ts';
import { createDatabaseClock, followClock, type DatabaseClock } from './database-clock.ts';
import type { DatabaseHandle } from './database-handle.ts';
import { Jobs } from './jobs.ts';
import { lockDirectory, type DirectoryLock } from './lock-directory.ts';
import { migrateToLatest } from './migrate.ts';
import type { Tables } from './tables.ts';
import { transactionGuard } from './transaction-guard.ts';

const INT8 = 20;

export interface DatabaseOptions {
  /** PostgreSQL; empty means the embedded database in `dataDir`. */
  readonly url: string;
  readonly dataDir: string;
  /** Connections to PostgreSQL beside those of the queue. */
  readonly poolSize?: number;
  /** A saved embedded database to start from instead of an empty one; used by tests. */
  readonly snapshot?: Blob;
  /** Told what the queue of jobs complains about. */
  readonly onComplaint?: (complaint: string) => void;
  /** Made-up time instead of the database's. */
  readonly clock?: Clock;
}

/** The open database: statements, jobs, and what closes them. */
export interface Database extends AsyncDisposable {
  readonly kind: 'embedded' | 'postgresql';
  readonly handle: DatabaseHandle;
  readonly jobs: Jobs;
  readonly clock: DatabaseClock;
  /** The embedded engine, for saving a snapshot. */
  readonly embedded: PGlite | null;
  /** Answers when the database answers, throws otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the database, brings its tables up to date and prepares the job queues. Jobs are fetched only once a
 * role asks `jobs.work`. Throws `database.unreachable`, `database.in_use`.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.url === '' ? openEmbedded(options) : openPostgresql(options);
}

async function openEmbedded(options: DatabaseOptions): Promise<Database> {
  const directory = join(options.dataDir, 'database');
  await mkdir(options.dataDir, { recursive: true });
  const lock = lockDirectory(options.dataDir);
  try {
    const embedded = new PGlite({
      dataDir: directory,
      parsers: { [INT8]: Number },
      ...(options.snapshot === undefined ? {} : { loadDataDir: options.snapshot }),
    });
    await embedded.waitReady;
    const root = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: embedded }) });
    await migrateToLatest(root);
    const jobs = await Jobs.open({ kind: 'embedded', embedded }, options.onComplaint ?? (() => undefined));
    return await finish({ kind: 'embedded', root, jobs, embedded, lock }, options);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openPostgresql(options: DatabaseOptions): Promise<Database> {
  const types = new TypeOverrides();
  types.setTypeParser(INT8, Number);
  const pool = new Pool({ connectionString: options.url, max: options.poolSize ?? 10, types });
  // A broken idle connection is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  // The same for one that breaks between two statements of a transaction: the next statement is told.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const root = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrateToLatest(root);
    const backend = { kind: 'postgresql', url: options.url } as const;
    const jobs = await Jobs.open(backend, options.onComplaint ?? (() => undefined));
    return await finish({ kind: 'postgresql', root, jobs, embedded: null, lock: null }, options);
  } catch (error) {
    await root.destroy();
    throw new ReactorError('database.unreachable', `PostgreSQL cannot be used: ${messageOf(error)}`, {
      hint: 'Check ODCS_DATABASE_URL; the user must be allowed to create tables and the schema pgboss.',
      fate: 'halt',
      cause: error,
    });
  }
}

interface OpenedParts {
  readonly kind: Database['kind'];
  readonly root: Kysely<Tables>;
  readonly jobs: Jobs;
  readonly embedded: PGlite | null;
  readonly lock: DirectoryLock | null;
}

async function finish(
  { kind, root, jobs, embedded, lock }: OpenedParts,
  options: Pick<DatabaseOptions, 'clock'>,
): Promise<Database> {
  const handle = root.withPlugin(transactionGuard);
  const clock = options.clock === undefined ? createDatabaseClock() : followClock(options.clock);
  await clock.read(handle);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      await jobs.stop();
      await root.destroy();
      lock?.release();
    })());
  return {
    kind,
    handle,
    jobs,
    clock,
    embedded,
    ping: async () => {
      await handle.selectFrom('composes').select('id').limit(1).execute();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

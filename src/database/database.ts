import type { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool, TypeOverrides } from 'pg';
import { systemClock, type Clock } from '../clock.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import { Complaints } from './complaints.ts';
import { createDatabaseClock, followClock, type DatabaseClock } from './database-clock.ts';
import type { DatabaseHandle } from './database-handle.ts';
import { assertMayMigrate, type MigrateWhen } from './assert-may-migrate.ts';
import { makeEmbeddedDatabase, openEmbeddedEngine } from './embedded-engine.ts';
import { Jobs } from './jobs.ts';
import { lockDirectory } from './lock-directory.ts';
import { assertNotNewer, listKnownMigrations, listPendingMigrations, migrateToLatest } from './migrate.ts';
import { PostgresqlConnections, usualLimits, type ConnectionLimits } from './postgresql-connections.ts';
import { ServicePool, type PoolLoad } from './service-pool.ts';
import type { Tables } from './tables.ts';
import { transactionGuard } from './transaction-guard.ts';
import { DatabaseWatch } from './watch-database.ts';

const INT8 = 20;
const USUAL_POOL_SIZE = 10;
/** A connection that is closed in order and stays open for longer leads nowhere. */
const CLOSING_MS = 3_000;

export interface DatabaseOptions {
  /** PostgreSQL; empty means the embedded database in `dataDir`. */
  readonly url: string;
  readonly dataDir: string;
  /** Connections to PostgreSQL beside those of the queue and of the watch. */
  readonly poolSize?: number;
  readonly limits?: ConnectionLimits;
  /** When tables of an earlier version are brought up to date; PostgreSQL only. */
  readonly migrate?: MigrateWhen;
  /** Version of this program. */
  readonly version?: string;
  /** A saved embedded database to start from instead of an empty one; used by tests. */
  readonly snapshot?: Blob;
  /** Called with what the connections and the queue of jobs complain about. */
  readonly onComplaint?: (complaint: string) => void;
  /** Called when the database goes away, why, and null when it is back. */
  readonly onChange?: (failure: ReactorError | null) => void;
  /** Called when the tables became those of a version that this one cannot work with: `database.newer`. */
  readonly onNewer?: (error: ReactorError) => void;
  /** Made-up time instead of the database's. */
  readonly clock?: Clock;
  /** The machine's clock; used by tests. */
  readonly machineClock?: Clock;
}

/** The open database: statements, jobs, and what closes them. */
export interface Database extends AsyncDisposable {
  readonly kind: 'embedded' | 'postgresql';
  readonly kysely: DatabaseHandle;
  readonly jobs: Jobs;
  readonly clock: DatabaseClock;
  /** The embedded engine, for saving a snapshot. */
  readonly embedded: PGlite | null;
  /** Returns what is wrong with the database as far as it is known; asks nothing. */
  failure(): ReactorError | null;
  /** How the connections for statements are used; null where there are none, with the embedded database. */
  load(): PoolLoad | null;
  /** Resolves when the database answers. Throws what is wrong with it, at once. */
  ping(): Promise<void>;
  /** Lets no statement wait any more for a database that is away: for a process that ends. */
  cutOff(): void;
  close(): Promise<void>;
}

/**
 * Opens the database, brings its tables up to date where that is safe and prepares the job queues. Jobs are fetched
 * only once a role asks `jobs.work`. Throws `database.unreachable`, `database.in_use`, `database.newer`,
 * `database.not_migrated`.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.url === '' ? openEmbedded(options) : openPostgresql(options);
}

/** Returns a handle for migrating: one connection that waits as long as it takes. Destroy it. */
export function openForMigrating(connections: PostgresqlConnections): Kysely<Tables> {
  const pool = new Pool({ ...connections.options('migration'), max: 1 });
  pool.on('error', () => undefined);
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

async function openEmbedded(options: DatabaseOptions): Promise<Database> {
  const directory = join(options.dataDir, 'database');
  await mkdir(options.dataDir, { recursive: true });
  const lock = lockDirectory(options.dataDir);
  try {
    if (options.snapshot === undefined) await makeEmbeddedDatabase(directory);
    const embedded = await openEmbeddedEngine({
      dataDir: directory,
      parsers: { [INT8]: Number },
      ...(options.snapshot === undefined ? {} : { loadDataDir: options.snapshot }),
    });
    const root = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: embedded }) });
    await migrateToLatest(root, { version: options.version ?? '' });
    const complaints = new Complaints(options.onComplaint ?? (() => undefined));
    const jobs = await Jobs.open({ kind: 'embedded', embedded }, { complaints, isPreparing: true });
    const clock = createClock(options);
    const kysely = root.withPlugin(transactionGuard);
    await clock.read(kysely);
    const close = once(async () => {
      await jobs.stop();
      await root.destroy();
      lock.release();
    });
    return {
      kind: 'embedded',
      kysely,
      jobs,
      clock,
      embedded,
      failure: () => null,
      load: () => null,
      ping: async () => {
        await kysely.selectFrom('composes').select('id').limit(1).execute();
      },
      cutOff: () => undefined,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openPostgresql(options: DatabaseOptions): Promise<Database> {
  const connections = new PostgresqlConnections(options.url, options.limits ?? usualLimits);
  try {
    return await openConnected(options, connections);
  } catch (error) {
    connections.close();
    if (error instanceof ReactorError && error.code.startsWith('database.') && error.fate === 'halt')
      throw error;
    throw new ReactorError('database.unreachable', `PostgreSQL cannot be used: ${messageOf(error)}`, {
      hint: 'Check ODCS_DATABASE_URL; the user must be allowed to create tables and the schema pgboss.',
      fate: 'halt',
      cause: error,
    });
  }
}

async function openConnected(
  options: DatabaseOptions,
  connections: PostgresqlConnections,
): Promise<Database> {
  const isPreparing = await migrateWhereSafe(options, connections);
  const complaints = new Complaints(options.onComplaint ?? (() => undefined));
  const types = new TypeOverrides();
  types.setTypeParser(INT8, Number);
  const pool = new ServicePool({
    options: { ...connections.options('statements'), types },
    size: options.poolSize ?? USUAL_POOL_SIZE,
    waitMs: connections.limits.connect * 1000,
    onComplaint: (complaint) => complaints.note(complaint),
  });
  const root = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const clock = createClock(options);
  const jobs = await Jobs.open({ kind: 'postgresql', connections }, { complaints, isPreparing });
  const watch = new DatabaseWatch({
    connections,
    clock,
    machineClock: options.machineClock ?? systemClock,
    knownMigrations: await listKnownMigrations(),
    onChange: (failure) => {
      if (failure === null) complaints.forget();
      options.onChange?.(failure);
    },
    onNewer: (error) => options.onNewer?.(error),
  });
  await watch.start();
  if (watch.failure !== null) throw watch.failure;
  const failure = (): ReactorError | null => watch.failure ?? pool.connectFailure;
  const close = once(async () => {
    if (watch.failure !== null) connections.close();
    await jobs.stop();
    await watch.stop();
    const limit = setTimeout(() => connections.close(), CLOSING_MS);
    await root.destroy();
    clearTimeout(limit);
    connections.close();
  });
  return {
    kind: 'postgresql',
    kysely: root.withPlugin(transactionGuard),
    jobs,
    clock,
    embedded: null,
    failure,
    load: () => pool.load,
    ping: async () => {
      const problem = failure();
      if (problem !== null) throw problem;
    },
    cutOff() {
      if (watch.failure !== null) connections.close();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Brings the tables up to date where that is safe. Returns whether the queue may be prepared as well. */
async function migrateWhereSafe(
  { migrate = 'safe', version = '' }: DatabaseOptions,
  connections: PostgresqlConnections,
): Promise<boolean> {
  const migrating = openForMigrating(connections);
  try {
    await assertNotNewer(migrating);
    const pending = await listPendingMigrations(migrating);
    await assertMayMigrate(migrating, { pending, migrate }).catch(async (error: unknown) => {
      // Somebody else may have done it meanwhile, and runs by now.
      if ((await listPendingMigrations(migrating)).length > 0) throw error;
    });
    if (migrate === 'never') return false;
    if (pending.length > 0) await migrateToLatest(migrating, { version });
  } finally {
    await migrating.destroy();
  }
  await Jobs.prepare(connections);
  return true;
}

function createClock({ clock, machineClock }: DatabaseOptions): DatabaseClock {
  return clock === undefined ? createDatabaseClock(machineClock ?? systemClock) : followClock(clock);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}

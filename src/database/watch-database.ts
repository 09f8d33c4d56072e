import { Client } from 'pg';
import type { Clock } from '../clock.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import type { DatabaseClock } from './database-clock.ts';
import { toDatabaseFailure } from './database-failure.ts';
import { MIGRATED_CHANNEL, newerThanThis } from './migrate.ts';
import type { PostgresqlConnections } from './postgresql-connections.ts';

const LOOK_MS = 2_000;
/** Without an answer for so long the database counts as away. */
const SILENCE_MS = 5_000;
/** Away for so long, every connection is broken: what waits on it would wait for ever. */
const BREAK_AFTER_MS = 10_000;
/** How often it is looked for migrations; a notification comes sooner. */
const MIGRATIONS_MS = 10_000;
/** A timer that fires later than this says that this process stood still, and nothing about the database. */
const LATE_MS = 1_000;

export interface DatabaseWatchInput {
  readonly connections: PostgresqlConnections;
  readonly clock: DatabaseClock;
  readonly machineClock: Clock;
  /** Names of the migrations this version knows. */
  readonly knownMigrations: readonly string[];
  /** Called when the database goes away, why, and null when it is back. */
  readonly onChange: (failure: ReactorError | null) => void;
  /** Called once when the tables became those of a version that this one cannot work with. */
  readonly onNewer: (error: ReactorError) => void;
}

/**
 * Asks the database every two seconds, on a connection of its own, what time it is and whether it can be written:
 * what it finds holds for all other connections. Where they may hang on a server that is gone, it breaks them.
 */
export class DatabaseWatch {
  readonly #input: DatabaseWatchInput;
  #client: Client | undefined;
  #failure: ReactorError | null = null;
  #failingSince = 0;
  #lookedForMigrationsAt = -Infinity;
  #isNewer = false;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #looking: Promise<void> = Promise.resolve();

  constructor(input: DatabaseWatchInput) {
    this.#input = input;
  }

  /** What is wrong with the database; null where it answers and can be written. */
  get failure(): ReactorError | null {
    return this.#failure;
  }

  /** Looks once, then regularly until `stop`. */
  async start(): Promise<void> {
    await this.#look();
    this.#plan();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#drop();
    await this.#looking;
  }

  #plan(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().finally(() => this.#plan());
    }, LOOK_MS);
  }

  async #look(): Promise<void> {
    const started = performance.now();
    try {
      const client = (this.#client ??= await this.#connect());
      const isReadOnly = await unlessSilent(this.#read(client));
      if (isReadOnly) {
        throw new ReactorError('database.read_only', 'The database can only be read: it is a replica.', {
          hint: 'Let the name in database_url lead to the primary.',
          fate: 'retry',
        });
      }
      this.#recover(started);
      await unlessSilent(this.#lookForMigrations(client));
    } catch (error) {
      this.#drop();
      if (!this.#isStopped) this.#fail(error, started);
    }
  }

  async #connect(): Promise<Client> {
    const client = new Client(this.#input.connections.options('watch'));
    client.on('error', () => this.#drop(client));
    client.on('notification', () => {
      this.#lookedForMigrationsAt = -Infinity;
    });
    try {
      await client.connect();
      await client.query(`listen ${MIGRATED_CHANNEL}`);
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }

  async #read(client: Client): Promise<boolean> {
    const { clock, machineClock } = this.#input;
    const askedAt = machineClock.now();
    const started = performance.now();
    const { rows } = await client.query<{ now: Date; isReadOnly: boolean }>(
      `select clock_timestamp() as now, current_setting('transaction_read_only') = 'on' as "isReadOnly"`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('The database did not say what time it is.');
    clock.learn({ askedAt, tookMs: performance.now() - started, now: row.now });
    return row.isReadOnly;
  }

  async #lookForMigrations(client: Client): Promise<void> {
    if (this.#isNewer || performance.now() - this.#lookedForMigrationsAt < MIGRATIONS_MS) return;
    this.#lookedForMigrationsAt = performance.now();
    const { rows } = await client.query<{ version: string }>(
      'select version from breaking_migrations where name <> all($1) order by name desc limit 1',
      [this.#input.knownMigrations],
    );
    const [newer] = rows;
    if (newer === undefined) return;
    this.#isNewer = true;
    this.#input.onNewer(newerThanThis(newer.version));
  }

  #fail(error: unknown, started: number): void {
    const failure = toDatabaseFailure(error) ?? unforeseen(error);
    if (this.#failure === null) this.#failingSince = started;
    const isNews = this.#failure?.code !== failure.code;
    this.#failure = failure;
    if (isNews) this.#input.onChange(failure);
    if (failure.code === 'database.away' && performance.now() - this.#failingSince >= BREAK_AFTER_MS) {
      this.#input.connections.breakOpenedBefore(started);
    }
  }

  #recover(started: number): void {
    const failure = this.#failure;
    if (failure === null) return;
    this.#failure = null;
    // Other connections may still wait for the server that is gone, or lead to the replica.
    const isElsewhere = failure.code === 'database.away' || failure.code === 'database.read_only';
    if (isElsewhere) this.#input.connections.breakOpenedBefore(started);
    this.#input.onChange(null);
  }

  #drop(which = this.#client): void {
    if (which === this.#client) this.#client = undefined;
    which?.removeAllListeners('error');
    which?.on('error', () => undefined);
    which?.end().catch(() => undefined);
  }
}

function unforeseen(error: unknown): ReactorError {
  return new ReactorError('database.away', `The database does not answer. (${messageOf(error)})`, {
    fate: 'retry',
    cause: error,
  });
}

/** Waits for an answer. Throws `database.away` where none comes for long, by a timer that was not late itself. */
async function unlessSilent<T>(answer: Promise<T>): Promise<T> {
  const silent = Symbol('silent');
  answer.catch(() => undefined);
  for (;;) {
    const due = performance.now() + SILENCE_MS;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<typeof silent>((resolve) => {
      timer = setTimeout(() => resolve(silent), SILENCE_MS);
    });
    const first = await Promise.race([answer, silence]).finally(() => clearTimeout(timer));
    if (first !== silent) return first;
    if (performance.now() - due > LATE_MS) continue;
    throw new ReactorError('database.away', `The database said nothing for ${SILENCE_MS / 1000} seconds.`, {
      fate: 'retry',
    });
  }
}

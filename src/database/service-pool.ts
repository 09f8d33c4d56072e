import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { Pool, type PoolConfig } from 'pg';
import { messageOf, ReactorError } from '../model/errors.ts';
import { failingAsDatabase, toDatabaseFailure } from './database-failure.ts';
import { isForTransaction } from './transaction-guard.ts';

/** Connections that transactions leave to single statements, so that a held row never stops what only reads. */
const KEPT_FOR_STATEMENTS = 3;

export interface ServicePoolOptions {
  readonly options: PoolConfig;
  /** Most connections at once. */
  readonly size: number;
  /** Milliseconds a transaction waits for its turn. */
  readonly waitMs: number;
  /** Called with what broke a connection that nobody waited on. */
  readonly onComplaint: (complaint: string) => void;
}

/** How a pool is used. */
export interface PoolLoad {
  readonly open: number;
  readonly idle: number;
  /** Statements and transactions that wait for a connection. */
  readonly waiting: number;
}

/**
 * The pool of the service's own statements. What fails because of the database throws `database.busy`,
 * `database.crowded`, `database.away`, `database.read_only`, `database.full` or `database.refused`, all of fate `retry`.
 */
export class ServicePool implements PostgresPool {
  readonly #pool: Pool;
  readonly #turns: Turns;
  readonly #clients = new WeakMap<PostgresPoolClient, PooledClient>();
  #connectFailure: ReactorError | null = null;

  constructor({ options, size, waitMs, onComplaint }: ServicePoolOptions) {
    this.#pool = new Pool({ ...options, max: size });
    this.#turns = new Turns(Math.max(1, size - KEPT_FOR_STATEMENTS), waitMs);
    // A broken idle connection is replaced at the next use; without a listener it would end the process.
    this.#pool.on('error', (error) => onComplaint(messageOf(error)));
    // The same for one that breaks between two statements of a transaction: the next statement is told.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  get options(): object {
    return this.#pool.options;
  }

  /** Connections there are, those that nobody uses, and who waits for one. */
  get load(): PoolLoad {
    const { totalCount: open, idleCount: idle, waitingCount } = this.#pool;
    return { open, idle, waiting: waitingCount + this.#turns.waiting };
  }

  /** Why the last connection that was asked for could not be had; null where it could. */
  get connectFailure(): ReactorError | null {
    return this.#connectFailure;
  }

  async connect(): Promise<PostgresPoolClient> {
    const endTurn = isForTransaction() ? await this.#turns.take() : undefined;
    try {
      const client = await this.#pool.connect();
      this.#connectFailure = null;
      const pooled = this.#clients.get(client) ?? new PooledClient(client);
      this.#clients.set(client, pooled);
      pooled.endTurn = endTurn;
      return pooled;
    } catch (error) {
      endTurn?.();
      const failure = toDatabaseFailure(error);
      this.#connectFailure = failure ?? null;
      throw failure ?? error;
    }
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }
}

/** A connection in use, whose errors say what they mean. */
class PooledClient implements PostgresPoolClient {
  readonly #client: PostgresPoolClient;
  endTurn: (() => void) | undefined;

  constructor(client: PostgresPoolClient) {
    this.#client = client;
  }

  query<R>(statement: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    statement: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof statement !== 'string') return this.#client.query(statement);
    return failingAsDatabase(() => this.#client.query<R>(statement, parameters));
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy);
    this.endTurn?.();
    this.endTurn = undefined;
  }
}

/** Hands out turns, in the order they were asked for. */
class Turns {
  #free: number;
  readonly #waitMs: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number, waitMs: number) {
    this.#free = count;
    this.#waitMs = waitMs;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Returns what ends the turn. Throws `database.busy` where it does not come in time. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait();
    return () => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        clearTimeout(limit);
        resolve();
      };
      const limit = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(
          new ReactorError('database.busy', 'Too many transactions wait for the database.', {
            hint: 'Try again in a few seconds.',
            fate: 'retry',
          }),
        );
      }, this.#waitMs);
      this.#waiting.push(start);
    });
  }
}

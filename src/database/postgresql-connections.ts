import { Socket } from 'node:net';

/** How long the connections of the service wait. Seconds. */
export interface ConnectionLimits {
  /** For a connection, new or from the pool. */
  readonly connect: number;
  /** For a row, table or advisory lock that somebody else holds. */
  readonly lock: number;
  /** For one statement. */
  readonly statement: number;
  /** Between two statements of one transaction. */
  readonly idleTransaction: number;
}

export const usualLimits: ConnectionLimits = { connect: 5, lock: 5, statement: 60, idleTransaction: 15 };

/** What `pg_stat_activity` calls the connections; each begins with the name of the service. */
export type ConnectionPurpose = 'statements' | 'jobs' | 'watch' | 'migration';

/** What pools and single connections are made with. Times are milliseconds. */
export interface ConnectionOptions {
  readonly connectionString: string;
  readonly application_name: string;
  readonly connectionTimeoutMillis: number;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelayMillis: number;
  readonly stream: () => Socket;
  readonly lock_timeout?: number;
  readonly statement_timeout?: number;
  readonly idle_in_transaction_session_timeout?: number;
}

/** A network that swallows everything says so after this much idle time, in the kernel's own rhythm. */
const KEEP_ALIVE_MS = 10_000;
/** The server ends a statement itself; only one that is gone stays silent so much longer. */
const SILENCE_MARGIN_MS = 10_000;

/**
 * The connections of one process to PostgreSQL, of its own statements and of the queue. They share their limits, and
 * they can be broken all at once: nothing else ends a wait for a server that vanished without a word.
 */
export class PostgresqlConnections {
  readonly #url: string;
  readonly #limits: ConnectionLimits;
  /** Each open socket with the time it was made, by the monotonic clock. */
  readonly #sockets = new Map<Socket, number>();
  #isClosed = false;

  constructor(url: string, limits: ConnectionLimits) {
    this.#url = url;
    this.#limits = limits;
  }

  get limits(): ConnectionLimits {
    return this.#limits;
  }

  /** Returns the options of a pool or a single connection. One that migrates waits as long as it takes. */
  options(purpose: ConnectionPurpose): ConnectionOptions {
    const { connect, lock, statement, idleTransaction } = this.#limits;
    const isPatient = purpose === 'migration';
    return {
      connectionString: this.#url,
      application_name: `${APPLICATION} ${purpose}`,
      connectionTimeoutMillis: connect * 1000,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      stream: () => this.#openSocket(isPatient ? 0 : statement * 1000 + SILENCE_MARGIN_MS),
      ...(isPatient
        ? {}
        : {
            lock_timeout: lock * 1000,
            statement_timeout: statement * 1000,
            idle_in_transaction_session_timeout: idleTransaction * 1000,
          }),
    };
  }

  /** Breaks every connection that was made before a time of the monotonic clock; the pools make new ones. */
  breakOpenedBefore(time: number): void {
    for (const [socket, openedAt] of this.#sockets) if (openedAt < time) socket.destroy();
  }

  /** Breaks every connection and lets no new one be made. */
  close(): void {
    this.#isClosed = true;
    this.breakOpenedBefore(Infinity);
  }

  #openSocket(silenceMs: number): Socket {
    const socket = new Socket();
    this.#sockets.set(socket, performance.now());
    socket.once('close', () => this.#sockets.delete(socket));
    if (silenceMs > 0) {
      socket.setTimeout(silenceMs, () => {
        socket.destroy(new Error(`The database said nothing for ${silenceMs / 1000} seconds.`));
      });
    }
    if (this.#isClosed) {
      // Once `connect` has been called on it, so that whoever waits for it is told.
      setImmediate(() => socket.destroy(new Error('The connections to the database are closed.')));
    }
    return socket;
  }
}

/** What `pg_stat_activity` calls every connection of the service, before the purpose. */
export const APPLICATION = 'odcs-reactor';

import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { ReactorError, messageOf } from '../model/errors.ts';

/** A living connection to a bus. */
export interface Session {
  /** Settles when the connection has ended, whatever ended it; resolves to why. */
  readonly ended: Promise<string>;
  /** Messages cannot be stored, so none are taken; the connection is kept. */
  isPaused(): boolean;
  close(): Promise<void>;
}

export interface ListenerHealth {
  readonly bus: string;
  readonly state: 'connecting' | 'connected' | 'paused' | 'waiting' | 'halted' | 'stopped';
  /** Why there is no connection. */
  readonly reason: string | null;
  /** Connections made so far. */
  readonly connections: number;
  /** When the next attempt is, ISO 8601; null unless waiting. */
  readonly nextAttemptAt: string | null;
}

export interface SuperviseOptions {
  readonly bus: string;
  readonly log: Log;
  /** Makes a connection, gives up when the signal aborts. A ReactorError of fate `halt` ends the supervision. */
  readonly connect: (signal: AbortSignal) => Promise<Session>;
  readonly firstDelayMs?: number;
  readonly lastDelayMs?: number;
  /** A connection that held this long starts the delays over. */
  readonly stableMs?: number;
  readonly connectTimeoutMs?: number;
  /** A number in [0, 1) that spreads reconnections. */
  readonly random?: () => number;
  readonly onConnected?: () => void;
  readonly onEnded?: () => void;
}

/** A supervised connection. `stop` ends it and its supervision. */
export interface Supervisor {
  health(): ListenerHealth;
  stop(): Promise<void>;
}

/** The delay before attempt `attempt` (from 0): doubling, capped, and spread over its upper half. */
export function backoffDelay(
  attempt: number,
  options: { first: number; last: number; random: number },
): number {
  const whole = Math.min(options.last, options.first * 2 ** Math.min(attempt, 30));
  return whole / 2 + (whole / 2) * options.random;
}

/**
 * Keeps one connection to a bus alive until stopped: connects, waits for its end, waits with jitter, connects
 * again, for ever.
 */
export function supervise(options: SuperviseOptions): Supervisor {
  const { bus, log, firstDelayMs = 250, lastDelayMs = 30_000, stableMs = 10_000 } = options;
  const random = options.random ?? Math.random;
  const abort = new AbortController();
  let status: Omit<ListenerHealth, 'bus' | 'connections'> = {
    state: 'connecting',
    reason: null,
    nextAttemptAt: null,
  };
  let connections = 0;
  let session: Session | null = null;

  async function runOnce(): Promise<string> {
    status = { ...status, state: 'connecting', nextAttemptAt: null };
    const timeout = AbortSignal.timeout(options.connectTimeoutMs ?? 30_000);
    session = await options.connect(AbortSignal.any([abort.signal, timeout]));
    connections++;
    status = { state: 'connected', reason: null, nextAttemptAt: null };
    log.info({ bus, connections }, 'bus connected');
    options.onConnected?.();
    const stop = (): void => void session?.close();
    abort.signal.addEventListener('abort', stop, { once: true });
    if (abort.signal.aborted) stop();
    try {
      return await session.ended;
    } finally {
      abort.signal.removeEventListener('abort', stop);
      session = null;
      options.onEnded?.();
    }
  }

  async function run(): Promise<void> {
    for (let attempt = 0; !abort.signal.aborted; attempt++) {
      const startedAt = performance.now();
      const reason = await runOnce().catch((error: unknown) => {
        if (error instanceof ReactorError && error.fate === 'halt') {
          status = { state: 'halted', reason: error.message, nextAttemptAt: null };
          log.error({ bus, code: error.code, reason: error.message }, 'bus halted');
        }
        return messageOf(error);
      });
      if (status.state === 'halted') return;
      if (abort.signal.aborted) break;
      if (performance.now() - startedAt > stableMs) attempt = 0;
      const delay = backoffDelay(attempt, { first: firstDelayMs, last: lastDelayMs, random: random() });
      status = { state: 'waiting', reason, nextAttemptAt: new Date(Date.now() + delay).toISOString() };
      log.warn({ bus, reason, delay: Math.round(delay) }, 'bus connection ended');
      await pause(delay, undefined, { signal: abort.signal }).catch(() => undefined);
    }
    status = { state: 'stopped', reason: null, nextAttemptAt: null };
  }

  const finished = run();
  return {
    health: () => {
      const state = status.state === 'connected' && session?.isPaused() === true ? 'paused' : status.state;
      return { ...status, bus, state, connections };
    },
    stop: async () => {
      abort.abort(new Error('The listener is stopped.'));
      await finished;
    },
  };
}

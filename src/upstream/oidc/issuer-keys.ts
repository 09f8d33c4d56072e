import type { JSONWebKeySet, LocalJWKSet } from 'jose';
import { messageOf, ReactorError } from '../../model/errors.ts';

/** How long keys are used before they are read again. */
const FRESH_MS = 10 * 60_000;
/** How long they are used where they cannot be read again. */
const STALE_MS = 60 * 60_000;
/** The least time between two readings: whoever sends made-up key ids causes no more than that. */
const PAUSE_MS = 30_000;

interface KeptKeys {
  readonly find: LocalJWKSet;
  readonly ids: ReadonlySet<string>;
  readonly readAt: number;
}

/** The public keys of an issuer: read when they are first needed, kept, and read again for an id that is new. */
export class IssuerKeys {
  readonly #read: () => Promise<unknown>;
  readonly #monotonic: () => number;
  #kept: KeptKeys | null = null;
  #lastTry = -Infinity;
  #failure: unknown;
  #reading: Promise<void> | null = null;

  /** `read` fetches the set of keys; `monotonic` is a clock in milliseconds. */
  constructor(read: () => Promise<unknown>, monotonic: () => number = () => performance.now()) {
    this.#read = read;
    this.#monotonic = monotonic;
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#kept?.ids.size ?? 0;
  }

  /**
   * Returns what finds the key of a token among those of the issuer; null where none has this id. Throws what
   * reading them throws, where no usable ones are kept.
   */
  async finderOf(keyId: string): Promise<LocalJWKSet | null> {
    const age = this.#monotonic() - (this.#kept?.readAt ?? -Infinity);
    const isWanted = age > FRESH_MS || this.#kept?.ids.has(keyId) !== true;
    if (isWanted) await this.#readAgain();
    const kept = this.#kept;
    if (kept === null || this.#monotonic() - kept.readAt > STALE_MS) throw this.#failure;
    return kept.ids.has(keyId) ? kept.find : null;
  }

  /** Reads them, unless that was tried a moment ago; whoever comes meanwhile waits for the same answer. */
  async #readAgain(): Promise<void> {
    if (this.#reading === null) {
      if (this.#monotonic() - this.#lastTry < PAUSE_MS) return;
      this.#lastTry = this.#monotonic();
      this.#reading = this.#replace().finally(() => {
        this.#reading = null;
      });
    }
    await this.#reading;
  }

  async #replace(): Promise<void> {
    try {
      const set = keySetOf(await this.#read());
      const { createLocalJWKSet } = await import('jose');
      this.#kept = {
        find: createLocalJWKSet(set),
        ids: new Set(set.keys.flatMap(({ kid }) => kid ?? [])),
        readAt: this.#monotonic(),
      };
    } catch (error) {
      this.#failure = error;
    }
  }
}

function keySetOf(document: unknown): JSONWebKeySet {
  try {
    if (typeof document === 'object' && document !== null && 'keys' in document) {
      const { keys } = document;
      // Keys of a kind that nobody knows yet are none of ours; those with a name that is no text are no keys.
      if (Array.isArray(keys)) return { keys: keys.filter(isKey) };
    }
    throw new Error('it has no list of keys');
  } catch (cause) {
    throw new ReactorError(
      'oidc.unanswered',
      `The OIDC provider does not tell its keys: ${messageOf(cause)}.`,
      {
        fate: 'retry',
        cause,
      },
    );
  }
}

function isKey(key: unknown): key is JSONWebKeySet['keys'][number] {
  if (typeof key !== 'object' || key === null || !('kty' in key) || typeof key.kty !== 'string') return false;
  return 'kid' in key && typeof key.kid === 'string';
}

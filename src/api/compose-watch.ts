import type { Compose } from '../model/compose-json.ts';

export interface ComposeWatchContext {
  /** Reads the composes of these ids. */
  readonly read: (ids: readonly number[]) => Promise<readonly Compose[]>;
  /** Called where reading fails; the watch goes on. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

type Listener = (compose: Compose) => void;

/**
 * Looks at the composes somebody waits for, all in one statement, and only while somebody waits. However many
 * clients follow a compose, the database is asked once per interval.
 */
export class ComposeWatch implements Disposable {
  readonly #context: ComposeWatchContext;
  readonly #listeners = new Map<number, Set<Listener>>();
  #timer: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();

  constructor(context: ComposeWatchContext) {
    this.#context = context;
  }

  /** Aborted when the watch stops, so that long answers end with the service. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** How many composes somebody waits for. */
  get followed(): number {
    return this.#listeners.size;
  }

  /** Calls `listener` with the compose at every look, until the answered function is called. */
  follow(id: number, listener: Listener): () => void {
    const set = this.#listeners.get(id) ?? new Set();
    set.add(listener);
    this.#listeners.set(id, set);
    this.#schedule();
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.#listeners.get(id) === set) this.#listeners.delete(id);
    };
  }

  /**
   * The first look at the compose that `isEnough`, or undefined once `milliseconds` have passed, the signal is
   * aborted or the watch stops.
   */
  until(
    id: number,
    isEnough: (compose: Compose) => boolean,
    milliseconds: number,
    callerSignal: AbortSignal,
  ): Promise<Compose | undefined> {
    const signal = AbortSignal.any([callerSignal, this.closed]);
    return new Promise((resolve) => {
      const finish = (compose: Compose | undefined): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        leave();
        resolve(compose);
      };
      const giveUp = (): void => finish(undefined);
      const timer = setTimeout(giveUp, milliseconds);
      const leave = this.follow(id, (compose) => {
        if (isEnough(compose)) finish(compose);
      });
      signal.addEventListener('abort', giveUp);
      if (signal.aborted) giveUp();
    });
  }

  /** Stops looking; whoever still waits is told nothing more. */
  [Symbol.dispose](): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.closed.aborted || this.#listeners.size === 0) return;
    this.#timer = setTimeout(() => void this.#look(), this.#context.interval ?? 100);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    try {
      for (const compose of await this.#context.read([...this.#listeners.keys()])) {
        for (const listener of this.#listeners.get(compose.id) ?? []) listener(compose);
      }
    } catch (error) {
      this.#context.onError(error);
    } finally {
      this.#timer = undefined;
      this.#schedule();
    }
  }
}

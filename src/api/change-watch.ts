import type { Change } from '../database/look-at-changes.ts';

export interface ChangeWatchContext {
  /** Returns the newest of every subject. */
  readonly look: () => Promise<readonly Change[]>;
  readonly now: () => Date;
  /** Called where looking fails; the watch goes on. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

type Listener = (changes: readonly Change[]) => void;

interface SeenChange {
  readonly change: Change;
  /** When a look saw it first. */
  readonly at: Date;
}

/**
 * Looks for what has changed, with one statement for everybody who has a page open, and only while somebody has. It is up
 * to each listener to hear only of what its reader may read.
 */
export class ChangeWatch implements Disposable {
  readonly #context: ChangeWatchContext;
  readonly #listeners = new Set<Listener>();
  #seen: ReadonlyMap<string, SeenChange> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(context: ChangeWatchContext) {
    this.#context = context;
  }

  /**
   * Calls `listener` with what changed since a moment, as far as that is known, and with every later change, until the
   * returned function is called. Where nobody looked before, whatever is there counts as changed.
   */
  follow(since: Date, listener: Listener): () => void {
    const missed = [...this.#seen.values()].filter(({ at }) => at >= since).map(({ change }) => change);
    if (missed.length > 0) listener(missed);
    this.#listeners.add(listener);
    this.#schedule(0);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#seen = new Map();
    };
  }

  /** Stops looking; nobody is told anything more. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #schedule(delay: number): void {
    if (this.#timer !== undefined || this.#isClosed || this.#listeners.size === 0) return;
    this.#timer = setTimeout(() => void this.#look(), delay);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const timer = this.#timer;
    const found = await this.#context.look().catch((error: unknown) => {
      this.#context.onError(error);
      return null;
    });
    // Everybody left meanwhile; whoever came since has looks of their own.
    if (timer !== this.#timer) return;
    if (found !== null) this.#tell(found);
    this.#timer = undefined;
    this.#schedule(this.#context.interval ?? 1_000);
  }

  #tell(found: readonly Change[]): void {
    const at = this.#context.now();
    const before = this.#seen;
    const seen = new Map(
      found.map((change) => [change.key, before.get(change.key) ?? { change, at }] as const),
    );
    const added = [...seen].flatMap(([key, { change }]) => (before.has(key) ? [] : [change]));
    const changes = [...added, ...endedOf(before, seen)];
    this.#seen = seen;
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }
}

/** Pauses end; of everything else only the newest are looked at, so that what is missing is old. */
function endedOf(
  before: ReadonlyMap<string, SeenChange>,
  seen: ReadonlyMap<string, SeenChange>,
): readonly Change[] {
  return [...before].flatMap(([key, { change }]) =>
    change.subject === 'rules' && !seen.has(key) ? [change] : [],
  );
}

/** One piece of work and how many wait for it. */
interface Running<T> {
  readonly abort: AbortController;
  readonly result: Promise<T>;
  waiting: number;
}

/**
 * Work that whoever asks for the same thing at the same time shares. It belongs to none of them: one who is cancelled,
 * runs out of time or fails leaves at once, and the work goes on while anybody waits for it. When the last one has
 * left it is aborted, and who asks then begins anew.
 */
export class SharedWork<T> {
  readonly #running = new Map<string, Running<T>>();

  /** How many pieces of work are going on. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Returns what the work under `key` returns, begun with `work` where it is not going on. Throws what the work
   * throws, and the reason of the signal as soon as it aborts.
   */
  async run(
    key: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key, work);
    running.waiting += 1;
    const { promise: left, reject: leave } = Promise.withResolvers<never>();
    const onAbort = (): void => leave(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([left, running.result]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      running.waiting -= 1;
      if (running.waiting === 0) this.#end(key, running);
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const abort = new AbortController();
    // The work begins once everything is in its place, since it may throw at once.
    const result = Promise.resolve().then(() => work(abort.signal));
    const running: Running<T> = { abort, result, waiting: 0 };
    this.#running.set(key, running);
    // Whoever comes when it has settled begins anew.
    const settle = (): void => void this.#forget(key, running);
    result.then(settle, settle);
    return running;
  }

  #end(key: string, running: Running<T>): void {
    // What has settled is forgotten already; its signal stays quiet for what was made with it.
    if (!this.#forget(key, running)) return;
    running.abort.abort(new DOMException('Nobody waits for this work any more.', 'AbortError'));
  }

  #forget(key: string, running: Running<T>): boolean {
    return this.#running.get(key) === running && this.#running.delete(key);
  }
}

/**
 * Keeps what is derived of objects as long as those live: of lists and packages of a selection above all, which are the
 * same objects from one compose to the next where nothing of them differs (`composer/gather/selected-lists.ts`). Whoever
 * asks compares what else decided the value.
 */
export class KeptWith<Owner extends object, Value> {
  readonly #values = new WeakMap<Owner, Value>();

  /** Returns what is kept with an object. */
  get(owner: Owner): Value | undefined {
    return this.#values.get(owner);
  }

  /** Keeps a value with an object, instead of the one before. */
  set(owner: Owner, value: Value): void {
    this.#values.set(owner, value);
  }
}

// DisposableStack and AsyncDisposableStack for Node 22, which has neither: what ECMAScript 2026 says of them.

/** Takes an error together with the one before it, which it hides. */
class HidingError extends Error {
  constructor(error, suppressed) {
    super('A later error hides an earlier one.');
    this.name = 'SuppressedError';
    this.error = error;
    this.suppressed = suppressed;
  }
}

function methodOf(value, symbols) {
  for (const symbol of symbols) {
    if (typeof value[symbol] === 'function') return () => value[symbol]();
  }
  throw new TypeError('A value cannot be disposed.');
}

/** What both stacks are: a list of things to do, the last first. `symbols` name the methods that dispose of a value. */
class Stack {
  #begun = [];
  #isDisposed = false;
  #symbols;

  constructor(symbols) {
    this.#symbols = symbols;
  }

  get disposed() {
    return this.#isDisposed;
  }

  use(value) {
    this.#add(value === null || value === undefined ? () => undefined : methodOf(value, this.#symbols));
    return value;
  }

  adopt(value, dispose) {
    this.#add(() => dispose(value));
    return value;
  }

  defer(dispose) {
    this.#add(() => dispose());
  }

  move() {
    const moved = new this.constructor();
    for (const dispose of this.take()) moved.defer(dispose);
    return moved;
  }

  /** Returns what is to be done, the first first; from then on the stack is disposed of. Throws if it was before. */
  take() {
    if (this.#isDisposed) throw new ReferenceError('The stack is disposed of already.');
    this.#isDisposed = true;
    return this.#begun.splice(0);
  }

  #add(dispose) {
    if (this.#isDisposed) throw new ReferenceError('The stack is disposed of already.');
    this.#begun.push(dispose);
  }
}

class DisposableStackOfOldNode extends Stack {
  constructor() {
    super([Symbol.dispose]);
  }

  dispose() {
    if (this.disposed) return;
    let failure = null;
    for (const dispose of this.take().reverse()) {
      try {
        dispose();
      } catch (error) {
        failure = { error: failure === null ? error : new HidingError(error, failure.error) };
      }
    }
    if (failure !== null) throw failure.error;
  }

  [Symbol.dispose]() {
    this.dispose();
  }
}

class AsyncDisposableStackOfOldNode extends Stack {
  constructor() {
    super([Symbol.asyncDispose, Symbol.dispose]);
  }

  async disposeAsync() {
    if (this.disposed) return;
    let failure = null;
    for (const dispose of this.take().reverse()) {
      try {
        await dispose();
      } catch (error) {
        failure = { error: failure === null ? error : new HidingError(error, failure.error) };
      }
    }
    if (failure !== null) throw failure.error;
  }

  async [Symbol.asyncDispose]() {
    await this.disposeAsync();
  }
}

globalThis.DisposableStack ??= DisposableStackOfOldNode;
globalThis.AsyncDisposableStack ??= AsyncDisposableStackOfOldNode;

import { AsyncLocalStorage } from 'node:async_hooks';
import type { KyselyPlugin } from 'kysely';

const inside = new AsyncLocalStorage<true>();
const opening = new AsyncLocalStorage<true>();

/**
 * Throws where a statement would go round the transaction it is called in. On the embedded database such a
 * statement waits for the transaction and the transaction for it: for ever and without a word.
 */
export function assertOutsideTransaction(): void {
  if (inside.getStore()) {
    throw new Error(
      'Inside a transaction only its own unit of work may be used; this statement went past it.',
    );
  }
}

/** Runs the work of a transaction, in which every other statement throws. */
export function runInsideTransaction<T>(work: () => Promise<T>): Promise<T> {
  return inside.run(true, work);
}

/** Runs what asks for the connection of a transaction. */
export function runOpeningTransaction<T>(work: () => Promise<T>): Promise<T> {
  return opening.run(true, work);
}

/** Returns whether a connection is asked for by a transaction, which may wait for rows while it holds it. */
export function isForTransaction(): boolean {
  return opening.getStore() === true;
}

/** Checks every statement through the handle it is put on. */
export const transactionGuard: KyselyPlugin = {
  transformQuery(args) {
    assertOutsideTransaction();
    return args.node;
  },
  async transformResult(args) {
    return args.result;
  },
};

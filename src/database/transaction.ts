import { AsyncLocalStorage } from 'node:async_hooks';
import type { Kysely, KyselyPlugin, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

export type DatabaseHandle = Kysely<Tables>;
export type TransactionHandle = Transaction<Tables>;

const inside = new AsyncLocalStorage<true>();

/**
 * Throws where a statement would go round the transaction it is called in. On the embedded database such a
 * statement waits for the transaction and the transaction for it: for ever and without a word.
 */
export function assertOutsideTransaction(): void {
  if (inside.getStore()) {
    throw new Error(
      'Inside a transaction only its own handle may be used; this statement went to another one.',
    );
  }
}

/** Put on the root handle, so that every statement through it is checked. */
export const transactionGuard: KyselyPlugin = {
  transformQuery(args) {
    assertOutsideTransaction();
    return args.node;
  },
  async transformResult(args) {
    return args.result;
  },
};

/**
 * Runs `work` in one transaction and answers what it answers; a throw rolls back. Inside use nothing but the
 * handle that is passed: no network, no file, no sleep. The guard throws on a slip.
 */
export async function transaction<T>(
  database: DatabaseHandle,
  work: (handle: TransactionHandle) => Promise<T>,
): Promise<T> {
  assertOutsideTransaction();
  return database.transaction().execute((handle) => inside.run(true, () => work(handle.withoutPlugins())));
}

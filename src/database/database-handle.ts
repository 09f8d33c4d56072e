import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** Runs single statements. */
export type DatabaseHandle = Kysely<Tables>;

/** Runs statements of one transaction. */
export type TransactionHandle = Transaction<Tables>;

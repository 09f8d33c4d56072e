import type { Compose } from '../model/compose-json.ts';
import { areSameReaders, type Readers } from '../model/readers.ts';
import { toCompose } from './composes.ts';
import type { ComposeOfInputs } from './composes-of-inputs.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

/** A compose that looks for another of the same request. */
export interface EqualSearch {
  readonly id: number;
  readonly digest: string;
  /** When it was asked for: what began to be made before that may have read older inputs. */
  readonly since: Date;
  readonly readers: Readers | null;
  readonly owner: string;
  readonly now: Date;
}

/** A compose of an equal request, and what its row has beside it. */
export interface EqualCompose extends ComposeOfInputs {
  readonly inputs: string | null;
}

/**
 * Returns a compose of the same request that began to be made after this one was asked for: one that is done and lives
 * (first), or one that is being made and does not itself wait for another; undefined where there is none.
 */
export async function findEqualCompose(
  kysely: DatabaseHandle | TransactionHandle,
  { id, digest, since, readers, owner, now }: EqualSearch,
): Promise<EqualCompose | undefined> {
  const rows = await kysely
    .selectFrom('composes')
    .selectAll()
    .where('request_digest', '=', digest)
    .where('request_digest', 'is not', null)
    .where('state', 'in', ['generating', 'done'])
    .where('time_started', '>', since)
    .where('id', '<>', id)
    .where('cancel_requested_by', 'is', null)
    .where((where) =>
      where.or([
        where.and([where('state', '=', 'done'), where('time_to_expire', '>', now)]),
        where.and([where('state', '=', 'generating'), where('reused_id', 'is', null)]),
      ]),
    )
    .orderBy('state')
    // Whoever began first has most likely looked already: it is planned, or waits and is none of these.
    .orderBy('time_started')
    .orderBy('id')
    .execute();
  const isShared = (compose: Compose): boolean =>
    areSameReaders(compose.readers, readers) && (readers === null || compose.owner === owner);
  const found = rows.find((row) => isShared(toCompose(row)));
  if (found === undefined) return undefined;
  return { compose: toCompose(found), latestLink: found.latest_link, inputs: found.inputs_digest };
}

/** Returns the digest of what a compose was asked for; null where its plan is its own. */
export async function findRequestDigest(kysely: DatabaseHandle, id: number): Promise<string | null> {
  const row = await kysely
    .selectFrom('composes')
    .select('request_digest')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.request_digest ?? null;
}

import { sql } from 'kysely';
import type { Compose } from '../model/compose-json.ts';
import { areSameReaders, type Readers } from '../model/readers.ts';
import { toCompose } from './composes.ts';
import type { DatabaseHandle, TransactionHandle } from './database-handle.ts';

export interface ReuseSearch {
  readonly fingerprint: string;
  readonly targetDir: string;
  /** The compose that would show the other's directory. */
  readonly exceptId: number;
  /** To whom it is open: a directory is shown by composes that the same people may read. */
  readonly readers: Readers | null;
  /** Whose it is: what is private is shared with composes of the same owner alone. */
  readonly owner: string;
  readonly now: Date;
}

/** Returns composes of a fingerprint that another may show instead of building its own: done ones first, newest first. */
export async function listReusable(
  kysely: DatabaseHandle | TransactionHandle,
  { fingerprint, targetDir, exceptId, readers, owner, now }: ReuseSearch,
): Promise<Compose[]> {
  const rows = await kysely
    .selectFrom('composes')
    .selectAll()
    .where('fingerprint', '=', fingerprint)
    .where('target_dir', '=', targetDir)
    .where('id', '<>', exceptId)
    .where('reused_id', 'is', null)
    .where('cancel_requested_by', 'is', null)
    .where((where) =>
      where.or([
        where.and([where('state', '=', 'done'), where('time_to_expire', '>', now)]),
        where('state', '=', 'generating'),
      ]),
    )
    .orderBy(sql`case state when 'done' then 0 else 1 end`)
    .orderBy('id', 'desc')
    .execute();
  return rows
    .map(toCompose)
    .filter(
      (compose) => areSameReaders(compose.readers, readers) && (readers === null || compose.owner === owner),
    );
}

import { sourceTypes } from '../source-types.ts';
import { sql } from 'kysely';
import { type ComposeState } from '../model/compose.ts';
import type { DatabaseHandle } from './database-handle.ts';
import type { Database } from './database.ts';

/** How many composes there are of one kind and state. */
export interface ComposeCount {
  readonly sourceType: number;
  readonly state: ComposeState;
  /** The source (`name#commit`) of a raw_config compose that is open to everybody, else null. */
  readonly source: string | null;
  readonly count: number;
}

/** Counts composes; kinds and states without any are left out. */
export type CountComposes = () => Promise<readonly ComposeCount[]>;

/** So long a count is shown again. */
const SHOWN_MS = 30_000;
/** Removals this old are committed for certain; they are counted once and never again. */
const SETTLED_MS = 300_000;

/**
 * Creates a counter of composes. Removed ones, nearly all after years, are counted once by each process: from then on it
 * asks only for those that live and those removed since. Whoever asks within half a minute, or meanwhile, is given the
 * same counts.
 */
export function createComposeCounter({ kysely, clock }: Pick<Database, 'kysely' | 'clock'>): CountComposes {
  let removed: readonly ComposeCount[] = [];
  let countedUntil = new Date(0);
  let shown: Promise<readonly ComposeCount[]> | undefined;
  let shownAt = -Infinity;
  const count = async (): Promise<readonly ComposeCount[]> => {
    const until = new Date((await clock.read(kysely)).getTime() - SETTLED_MS);
    const rows = await countChanged(kysely, { from: countedUntil, until });
    removed = add(
      removed,
      rows.filter((row) => row.is_settled),
    );
    countedUntil = until;
    return add(
      removed,
      rows.filter((row) => !row.is_settled),
    );
  };
  return () => {
    if (shown === undefined || performance.now() - shownAt >= SHOWN_MS) {
      shownAt = performance.now();
      shown = count();
      shown.catch(() => {
        shown = undefined;
      });
    }
    return shown;
  };
}

async function countChanged(
  kysely: DatabaseHandle,
  { from, until }: { readonly from: Date; readonly until: Date },
): Promise<readonly (ComposeCount & { readonly is_settled: boolean })[]> {
  const { rows } = await sql<ComposeCount & { readonly is_settled: boolean }>`
    select source_type as "sourceType", state, is_settled, count(*)::integer as count,
      case when source_type = ${sql.lit(sourceTypes.raw_config)} and readers is null then source end as source
    from (
      select source_type, state, source, readers, false as is_settled from composes where state <> 'removed'
      union all
      select source_type, state, source, readers, time_removed <= ${until} from composes
      where state = 'removed' and time_removed > ${from}
    ) as changed
    group by 1, 2, 3, 5`.execute(kysely);
  return rows;
}

function add(counts: readonly ComposeCount[], more: readonly ComposeCount[]): readonly ComposeCount[] {
  const sums = new Map<string, ComposeCount>();
  for (const { sourceType, state, source, count } of [...counts, ...more]) {
    const key = `${sourceType} ${state} ${source ?? ''}`;
    sums.set(key, { sourceType, state, source, count: (sums.get(key)?.count ?? 0) + count });
  }
  return [...sums.values()];
}

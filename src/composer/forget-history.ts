import type { DatabaseHandle } from '../database/database-handle.ts';
import { pruneDecisions } from '../database/decisions.ts';
import {
  BEGINNING,
  pruneAnnouncements,
  pruneRequests,
  pruneWindowDecisions,
  pruneWindows,
  type Position,
  type PruneNext,
  type Pruning,
} from '../database/prune-history.ts';
import { pruneRuleClocks } from '../database/rule-clocks.ts';
import { pruneGroups } from '../database/rule-groups.ts';
import { pruneRuleSets } from '../database/rule-sets.ts';
import type { ComposerContext } from './composer-context.ts';
import { pauseBetween } from './forget-events.ts';

const DAY = 86_400_000;
/** Rows looked at in one statement, and statements that forget something of one table in one sweep. */
const AT_ONCE = 500;
const TURNS = 20;
/** No schedule pauses longer than a year: a clock that stood still for longer is that of a rule that is gone. */
const CLOCKS_KEPT_DAYS = 400;

/** How many days each kind of row is kept after it was of use. */
export interface KeptDays {
  readonly events: number;
  readonly announcements: number;
  /** Decisions about windows, then their windows and the requests they led to. */
  readonly decisions: number;
  readonly ruleGroups: number;
  readonly ruleSets: number;
}

interface Retention {
  /** Word of the log. */
  readonly rows: string;
  readonly keptDays: number;
  readonly prune: PruneNext;
}

/** Decisions go first: they hold their windows and requests, and a request those it took in. */
function retentionsOf(kept: KeptDays): readonly Retention[] {
  return [
    { rows: 'announcements', keptDays: kept.announcements, prune: whole(pruneAnnouncements) },
    {
      rows: 'refusals',
      keptDays: kept.events,
      prune: whole((kysely, { before, limit }) => pruneDecisions(kysely, before, limit)),
    },
    { rows: 'decisions', keptDays: kept.decisions, prune: pruneWindowDecisions },
    { rows: 'windows', keptDays: kept.decisions, prune: pruneWindows },
    { rows: 'requests', keptDays: kept.decisions, prune: pruneRequests },
    { rows: 'groups of rules', keptDays: kept.ruleGroups, prune: whole(pruneGroups) },
    { rows: 'sets of rules', keptDays: kept.ruleSets, prune: whole(pruneRuleSets) },
    { rows: 'clocks of rules', keptDays: CLOCKS_KEPT_DAYS, prune: whole(pruneRuleClocks) },
  ];
}

/** Forgets rows that nothing can keep: the oldest are always the next. */
function whole(prune: (kysely: DatabaseHandle, pruning: Pruning) => Promise<number>): PruneNext {
  return async (kysely, pruning) => {
    const forgotten = await prune(kysely, pruning);
    return { forgotten, next: forgotten < pruning.limit ? null : { ...BEGINNING } };
  };
}

/**
 * Forgets what is older than it is kept and what nothing living refers to, a bounded number of rows in a statement and
 * with a pause between. Returns whether all of it is gone; where not, the next sweep goes on.
 */
export async function forgetHistory(
  { database, log }: Pick<ComposerContext, 'database' | 'log'>,
  kept: KeptDays,
  signal: AbortSignal,
): Promise<boolean> {
  const now = await database.clock.read(database.kysely);
  let isDone = true;
  for (const { rows, keptDays, prune } of retentionsOf(kept)) {
    const before = new Date(now.getTime() - keptDays * DAY);
    let forgotten = 0;
    let next: Position | null = BEGINNING;
    for (let turns = 0; next !== null && turns < TURNS && !signal.aborted;) {
      if (next !== BEGINNING) await pauseBetween(signal);
      const pruned = await prune(database.kysely, { before, limit: AT_ONCE }, next);
      forgotten += pruned.forgotten;
      next = pruned.next;
      if (pruned.forgotten > 0) turns++;
    }
    if (forgotten > 0) log.info({ rows, forgotten }, 'old rows were forgotten');
    isDone &&= next === null;
  }
  return isDone;
}

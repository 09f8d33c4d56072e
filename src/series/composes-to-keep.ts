import type { Keep } from '../model/keep.ts';

/** A compose of a series that is still there. */
export interface DoneCompose {
  readonly id: number;
  readonly doneAt: Date;
}

/** Why a compose is kept. */
export type KeepReason = 'latest' | 'last' | 'daily' | 'weekly';

const DAY = 86_400_000;
const WEEK = 7 * DAY;
/** 1970-01-01 was a Thursday: weeks begin on Mondays, as ISO 8601 counts them. */
const FIRST_MONDAY = 4 * DAY;

/**
 * Decides which composes of a series are kept, and why: always the newest, then the newest `last`, the last of each day
 * (UTC) and of each ISO week as far back as `keep` says. What is not kept now is at no later time, so that removing it
 * changes nothing that is kept afterwards. Newest means asked for last.
 */
export function composesToKeep(
  history: readonly DoneCompose[],
  keep: Keep,
  now: Date,
): ReadonlyMap<number, readonly KeepReason[]> {
  const newestFirst = history.toSorted((left, right) => right.id - left.id);
  const kept = new Map<number, KeepReason[]>();
  const add = (id: number, reason: KeepReason): void => {
    const reasons = kept.get(id);
    if (reasons === undefined) kept.set(id, [reason]);
    else reasons.push(reason);
  };
  const [latest] = newestFirst;
  if (latest !== undefined) add(latest.id, 'latest');
  for (const { id } of newestFirst.slice(0, keep.last ?? 0)) add(id, 'last');
  const addLastOfEach = (
    reason: KeepReason,
    backMs: number | null,
    spanOf: (time: number) => number,
  ): void => {
    if (backMs === null) return;
    const seen = new Set<number>();
    for (const { id, doneAt } of newestFirst) {
      const time = doneAt.getTime();
      const span = spanOf(time);
      if (seen.has(span)) continue;
      seen.add(span);
      if (time > now.getTime() - backMs) add(id, reason);
    }
  };
  addLastOfEach('daily', keep.dailyMs, (time) => Math.floor(time / DAY));
  addLastOfEach('weekly', keep.weeklyMs, (time) => Math.floor((time - FIRST_MONDAY) / WEEK));
  return kept;
}

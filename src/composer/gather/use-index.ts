import type { GatherIndex } from './gather-index.ts';

/**
 * Lets one work after the other have an index to itself: what gathers in turns must not see it completed meanwhile, and
 * the next one finds what the last one completed. Throws what the work throws.
 */
export async function useIndex<Result>(index: GatherIndex, work: () => Promise<Result>): Promise<Result> {
  const run = index.lastWork.then(work, work);
  index.lastWork = run;
  return run;
}

import type { GatherIndex } from './gather-index.ts';

/** Composes share an index: the last work with each, done or not. */
const working = new WeakMap<GatherIndex, Promise<unknown>>();

/**
 * Lets one work after the other have an index to itself: what gathers in turns must not see it completed meanwhile, and
 * the next one finds what the last one completed. Throws what the work throws.
 */
export async function useIndex<Result>(index: GatherIndex, work: () => Promise<Result>): Promise<Result> {
  const run = (working.get(index) ?? Promise.resolve()).then(work, work);
  working.set(index, run);
  return run;
}

import type { PackageFragments, PackageLocation } from '../package-fragments.ts';
import { cutBlocks } from '../repodata/cut-blocks.ts';

/** Packages that one worker reads together. */
export interface PlannedBatch {
  readonly locations: readonly PackageLocation[];
  /** Whether they are a block of repodata, which the worker can pack. */
  readonly isBlock: boolean;
}

const FEWEST_BLOCKS = 16;
const SMALL_BATCH = 16;

/**
 * Cuts the packages of a repository that are not known into batches: along the blocks of its repodata, or in
 * small ones where the blocks are too few to give every worker its share. `locations` are in the order of
 * repodata.
 */
export function planBatches(
  locations: readonly PackageLocation[],
  known: ReadonlyMap<string, PackageFragments>,
): PlannedBatch[] {
  const blocks = cutBlocks(locations.map(({ href }) => href));
  const batches: PlannedBatch[] = [];
  for (const { start, end } of blocks) {
    const wanted = locations.slice(start, end).filter(({ href }) => !known.has(href));
    const isBlock = wanted.length === end - start && blocks.length >= FEWEST_BLOCKS;
    const most = isBlock ? wanted.length : SMALL_BATCH;
    for (let at = 0; at < wanted.length; at += most) {
      batches.push({ locations: wanted.slice(at, at + most), isBlock });
    }
  }
  return batches;
}

import type { Turns } from '../../in-turns.ts';
import type { SelectedPackage, SourcePackage } from '../selection.ts';
import type { GatherIndex } from './gather-index.ts';
import { explainWhy, type Why } from './gather-result.ts';

/** What says of gathered packages what they are, and why they are there. */
export interface GatheredPackages {
  readonly index: GatherIndex;
  readonly describe: (id: number) => SourcePackage;
  readonly why: (id: number) => Why | null;
  /** The reason of those that no gather chose. */
  readonly otherwise: string;
}

/** Packages that are described, their files perhaps looked for, before others may have their turn. */
const DESCRIBED_TOGETHER = 128;

/** Returns packages of an index as a selection has them, in their order. */
export function* selectGathered(
  gathered: GatheredPackages,
  ids: readonly number[],
): Turns<readonly SelectedPackage[]> {
  const selected: SelectedPackage[] = [];
  for (const [at, id] of ids.entries()) {
    if (at % DESCRIBED_TOGETHER === 0) yield;
    selected.push(select(gathered, id));
  }
  return selected;
}

/** A selection is plain data, written and read as such, so that the reason is a property of its own. */
function select({ index, describe, why, otherwise }: GatheredPackages, id: number): SelectedPackage {
  const described = describe(id);
  let text: string | undefined;
  return {
    package: described,
    // Made only for those who ask: nobody reads the reasons of a whole tree.
    get why() {
      if (text !== undefined) return text;
      const reason = why(id);
      text = reason === null ? otherwise : explainWhy(index, described, reason);
      return text;
    },
  };
}

import type { Turns } from '../../in-turns.ts';
import { KeptWith } from '../../kept-with.ts';
import type { SelectedPackage } from '../selection.ts';
import type { GatherIndex } from './gather-index.ts';
import { isSameWhy, type Why } from './gather-result.ts';
import { selectGathered, type GatheredPackages } from './select-gathered.ts';

/** A list as it was selected last, a column each. */
interface KeptList {
  readonly ids: readonly number[];
  readonly whys: readonly (Why | null)[];
  readonly selected: readonly SelectedPackage[];
}

/** Packages that are compared before others may have their turn. */
const COMPARED_TOGETHER = 2_048;

/**
 * Keeps the lists that were selected last from each index, as long as the index lives: a package that is in a list for the
 * same reason as the last time is the same object, and a list of the same packages the same list. What is derived of
 * them can be kept by them.
 */
export class SelectedLists {
  readonly #kept = new KeptWith<GatherIndex, Map<string, KeptList>>();

  /** Returns packages of an index as a selection has them, in their order; `place` says which list of a compose it is. */
  *select(
    gathered: GatheredPackages,
    place: string,
    ids: readonly number[],
  ): Turns<readonly SelectedPackage[]> {
    const lists = this.#kept.get(gathered.index) ?? new Map<string, KeptList>();
    this.#kept.set(gathered.index, lists);
    const before = lists.get(place);
    const whys: (Why | null)[] = [];
    for (const [at, id] of ids.entries()) {
      if (at % COMPARED_TOGETHER === 0) yield;
      whys.push(gathered.why(id));
    }
    const selected =
      before === undefined
        ? yield* selectGathered(gathered, ids)
        : yield* selectAgain(gathered, before, ids, whys);
    lists.set(place, { ids, whys, selected });
    return selected;
  }
}

function* selectAgain(
  gathered: GatheredPackages,
  before: KeptList,
  ids: readonly number[],
  whys: readonly (Why | null)[],
): Turns<readonly SelectedPackage[]> {
  const selected: SelectedPackage[] = [];
  let places: ReadonlyMap<number, number> | null = null;
  let isSame = before.ids.length === ids.length;
  for (const [at, id] of ids.entries()) {
    if (at % COMPARED_TOGETHER === 0) yield;
    if (before.ids[at] !== id) places ??= new Map(before.ids.map((known, place) => [known, place]));
    const place = before.ids[at] === id ? at : places?.get(id);
    const known = place === undefined ? undefined : before.selected[place];
    const isKnown =
      known !== undefined &&
      place !== undefined &&
      known.package === gathered.describe(id) &&
      isSameWhy(before.whys[place] ?? null, whys[at] ?? null);
    isSame &&= isKnown && place === at;
    if (isKnown) selected.push(known);
    else selected.push(...(yield* selectGathered(gathered, [id])));
  }
  return isSame ? before.selected : selected;
}

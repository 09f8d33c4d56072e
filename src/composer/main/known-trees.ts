import { LookedAt } from '../gather/looked-at.ts';
import type { GatherIndex } from '../gather/gather-index.ts';
import type { GatheredTree, VariantArch } from './gather-variant.ts';

/** What decides a tree beside the packages that it may be gathered from, as a text. */
type TreeKey = string;

/** A tree as it was gathered, and what that looked at. */
interface KnownTree {
  readonly key: TreeKey;
  readonly seen: Uint8Array;
  readonly lookedAt: LookedAt;
  readonly tree: GatheredTree;
}

const IN_DEPS = 1;
const IN_NODEPS = 2;
const IS_ASIDE = 4;

/**
 * Keeps the trees that were gathered last from each index, as long as the index lives. Where an index is brought to other
 * packages in its place, a tree that looked at none of those that differ is what it was.
 */
export class KnownTrees {
  readonly #trees = new WeakMap<GatherIndex, Map<string, KnownTree>>();

  /**
   * Returns the tree of an arch of a variant: the one that is known, or what `gather` returns, which notes what it looks at.
   * `key` is equal only where all is that decides the tree beside the packages. Throws what `gather` throws.
   */
  async recall(
    index: GatherIndex,
    wanted: VariantArch,
    key: TreeKey,
    gather: (lookedAt: LookedAt) => Promise<GatheredTree>,
  ): Promise<GatheredTree> {
    const trees = this.#trees.get(index) ?? new Map<string, KnownTree>();
    this.#trees.set(index, trees);
    const place = `${wanted.variant.uid} ${wanted.arch}`;
    const seen = listSeen(index, wanted);
    const known = trees.get(place);
    if (known?.key === key && !isTouched(known, seen)) return known.tree;
    trees.delete(place);
    const lookedAt = new LookedAt(index);
    const tree = await gather(lookedAt);
    lookedAt.end();
    trees.set(place, { key, seen, lookedAt, tree });
    return tree;
  }
}

/** By package: what it is seen as; 0 for one that is removed. */
function listSeen(index: GatherIndex, { visible: { deps, nodeps }, lookaside }: VariantArch): Uint8Array {
  const seen = new Uint8Array(index.count);
  const { isRemoved } = index.columns;
  for (let id = 0; id < seen.length; id += 1) {
    if (isRemoved.at(id) === 1) continue;
    seen[id] =
      (deps[id] === 1 ? IN_DEPS : 0) |
      (nodeps[id] === 1 ? IN_NODEPS : 0) |
      (lookaside[id] === 1 ? IS_ASIDE : 0);
  }
  return seen;
}

function isTouched({ seen: before, lookedAt }: KnownTree, seen: Uint8Array): boolean {
  const changed: number[] = [];
  for (let id = 0; id < seen.length; id += 1) if ((before[id] ?? 0) !== seen[id]) changed.push(id);
  return lookedAt.isTouchedBy({ changed, isSeen: (id) => seen[id] !== 0 });
}

import type { Turns } from '../../in-turns.ts';
import { KeptWith } from '../../kept-with.ts';
import type { ProductmdVariant } from '../../rpm/productmd-variant.ts';
import type { ListedRpm, ListedRpms } from '../../rpm/productmd-rpms.ts';
import { locationIn, treeDirectories } from '../compose-trees.ts';
import { pathBelow } from '../pen.ts';
import type { ComposePlan } from '../plan.ts';
import type { SelectedPackage, SelectedTree, Selection } from '../selection.ts';
import type { MetadataInput } from './write-metadata.ts';

/** RPMs whose sigkeys are read between two looks at the signal. */
const KEYS_AT_ONCE = 1_000;
/** RPMs that are listed before others may have their turn. */
const LISTED_TOGETHER = 2_048;

const categories = ['binary', 'debug', 'source'] as const;
type Category = (typeof categories)[number];

/** A package of a tree with its path below `compose/`. */
interface PlacedRpm {
  readonly category: Category;
  readonly selected: SelectedPackage;
  readonly path: string;
}

/** The RPMs of an arch of a variant, listed before, and what decides them beside its binaries. */
interface KeptArch {
  readonly debug: readonly SelectedPackage[];
  readonly source: readonly SelectedPackage[];
  /** Where they lie. */
  readonly places: string;
  readonly listed: readonly ListedRpm[];
}

/** By the binaries of a tree: a list that was selected before is the same object. */
const keptArches = new KeptWith<readonly SelectedPackage[], KeptArch>();

/** A package as it was listed before, and where it lay. */
interface KeptRpm {
  readonly places: string;
  readonly rpm: ListedRpm;
}

/** By the package of a tree: what is written of an RPM is kept with it. */
const keptRpms = new KeptWith<SelectedPackage, KeptRpm>();

/** Every tree of a selection with its variant. */
function* visitTrees({ variants, trees }: Selection): Generator<readonly [SelectedTree, ProductmdVariant]> {
  const byUid = new Map(variants.map((variant) => [variant.uid, variant]));
  for (const tree of trees) {
    const variant = byUid.get(tree.variant);
    if (variant === undefined) throw new Error(`no variant is called ${tree.variant}`);
    yield [tree, variant];
  }
}

/** Where the RPMs of a tree lie: their repositories by category, and the directory in them. */
interface RpmPlaces {
  readonly repositories: Readonly<Record<Category, string>>;
  readonly packagesDirectory: string;
}

function placesOf({ arch }: SelectedTree, variant: ProductmdVariant): RpmPlaces {
  const { binary, debug, source } = treeDirectories(variant, arch);
  return {
    repositories: { binary: binary.repository, debug: debug.repository, source: source.repository },
    packagesDirectory: variant.type === 'addon' ? '' : 'Packages',
  };
}

function* visitTree(
  selection: Selection,
  tree: SelectedTree,
  { repositories, packagesDirectory }: RpmPlaces,
): Generator<PlacedRpm> {
  for (const category of categories) {
    const repository = repositories[category];
    for (const selected of tree[category]) {
      const path = `${repository}/${locationIn(selection, packagesDirectory, selected.package)}`;
      yield { category, selected, path };
    }
  }
}

/** The sigkeys by path of those packages whose source did not know them; what is not placed has none. */
export async function readMissingKeys(
  {
    plan: { selection },
    delivery,
    placing,
    signal,
  }: Pick<MetadataInput, 'plan' | 'delivery' | 'placing' | 'signal'>,
  root: string,
): Promise<ReadonlyMap<string, string | null>> {
  const keys = new Map<string, string | null>();
  if (delivery === 'reference') return keys;
  const missing = new Set<string>();
  for (const [tree, variant] of visitTrees(selection)) {
    if (
      !categories.some((category) => tree[category].some((selected) => selected.package.sigkey === undefined))
    )
      continue;
    for (const { selected, path } of visitTree(selection, tree, placesOf(tree, variant))) {
      if (selected.package.sigkey === undefined) missing.add(path);
    }
  }
  const paths = [...missing];
  for (let at = 0; at < paths.length; at += KEYS_AT_ONCE) {
    signal.throwIfAborted();
    const some = paths.slice(at, at + KEYS_AT_ONCE);
    const found = await placing.readSigkeys(some.map((path) => pathBelow(root, path)));
    some.forEach((path, index) => keys.set(path, found[index] ?? null));
  }
  return keys;
}

/**
 * Returns the RPMs of a plan with their paths; `keys` are those that only the files tell, by path. Trees that were listed
 * before have the same lists again.
 */
export function* listRpms(
  { selection }: Pick<ComposePlan, 'selection'>,
  keys: ReadonlyMap<string, string | null>,
): Turns<ListedRpms> {
  const listed = new Map<string, Map<string, readonly ListedRpm[]>>();
  for (const [tree, variant] of visitTrees(selection)) {
    yield;
    const rpms = yield* listTree(selection, tree, variant, keys);
    const arches = listed.get(tree.variant) ?? new Map<string, readonly ListedRpm[]>();
    const others = arches.get(tree.arch);
    if (rpms.length > 0) {
      listed.set(tree.variant, arches.set(tree.arch, others === undefined ? rpms : [...others, ...rpms]));
    }
  }
  return listed;
}

function* listTree(
  selection: Selection,
  tree: SelectedTree,
  variant: ProductmdVariant,
  keys: ReadonlyMap<string, string | null>,
): Turns<readonly ListedRpm[]> {
  const { binary, debug, source } = tree;
  const where = placesOf(tree, variant);
  const places = JSON.stringify([where, selection.layout.areDirectoriesHashed]);
  const kept = keptArches.get(binary);
  if (kept?.debug === debug && kept.source === source && kept.places === places) return kept.listed;
  const listed: ListedRpm[] = [];
  let isKnown = true;
  for (const placed of visitTree(selection, tree, where)) {
    if (listed.length % LISTED_TOGETHER === 0) yield;
    const { sigkey } = placed.selected.package;
    isKnown &&= sigkey !== undefined;
    listed.push(
      sigkey === undefined
        ? listedAs(placed, keys.get(placed.path) ?? null)
        : keepListed(placed, sigkey, places),
    );
  }
  // What only the files tell may be told otherwise by others.
  if (isKnown) keptArches.set(binary, { debug, source, places, listed });
  return listed;
}

function listedAs({ category, selected, path }: PlacedRpm, sigkey: string | null): ListedRpm {
  return { package: selected.package, sigkey, path, category };
}

/** Lists a package; the same object as before where it lay there before. */
function keepListed(placed: PlacedRpm, sigkey: string | null, places: string): ListedRpm {
  const kept = keptRpms.get(placed.selected);
  if (kept?.places === places && kept.rpm.category === placed.category) return kept.rpm;
  const rpm = listedAs(placed, sigkey);
  keptRpms.set(placed.selected, { places, rpm });
  return rpm;
}

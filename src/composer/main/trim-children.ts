import type { Turns } from '../../in-turns.ts';
import type { GatheredTree } from './gather-variant.ts';
import { nameOfFile, type MainPackages } from './main-packages.ts';
import {
  archesOfVariants,
  compareVariants,
  type Variant,
  type Variants,
  type VariantType,
} from './variants.ts';

const kinds = ['source', 'binary', 'debug'] as const;
type Kind = (typeof kinds)[number];
/** How the reference composer calls the kinds. */
const kindNames: Readonly<Record<Kind, string>> = { source: 'srpm', binary: 'rpm', debug: 'debuginfo' };

type Names = Readonly<Record<Kind, Set<string>>>;

interface OpenTree extends GatheredTree {
  binary: number[];
  debug: number[];
  source: number[];
}

type OpenTrees = ReadonlyMap<string, ReadonlyMap<string, OpenTree>>;

/** Packages that are looked at before others may have their turn. */
const LOOKED_AT = 512;

/** What is left in the trees, and what there is to say of it. */
interface TrimmedTrees {
  readonly trees: ReadonlyMap<string, ReadonlyMap<string, GatheredTree>>;
  readonly warnings: readonly string[];
}

/**
 * Takes from children what others ship: what the parent has, and what an addon has from layered products and optionals.
 * What an addon needs of the parent's builds goes to the parent. Source: main compose contract 6.2.
 */
export function* trimChildren(
  variants: Variants,
  packages: MainPackages,
  gathered: ReadonlyMap<string, ReadonlyMap<string, GatheredTree>>,
): Turns<TrimmedTrees> {
  const trees: OpenTrees = new Map(
    Array.from(gathered, ([uid, byArch]) => [
      uid,
      new Map(
        Array.from(byArch, ([arch, tree]) => [
          arch,
          { ...tree, binary: [...tree.binary], debug: [...tree.debug], source: [...tree.source] },
        ]),
      ),
    ]),
  );
  const warnings: string[] = [];
  const run = { variants, packages, trees, gathered, warnings };
  const addons = yield* trimType(run, 'addon', emptyNames());
  const products = yield* trimType(run, 'layered-product', addons);
  yield* trimType(run, 'optional', uniteNames(addons, products));
  return { trees, warnings };
}

interface TrimRun {
  readonly variants: Variants;
  readonly packages: MainPackages;
  readonly trees: OpenTrees;
  readonly gathered: ReadonlyMap<string, ReadonlyMap<string, GatheredTree>>;
  readonly warnings: string[];
}

function emptyNames(): Names {
  return { source: new Set(), binary: new Set(), debug: new Set() };
}

function uniteNames(left: Names, right: Names): Names {
  return {
    source: new Set([...left.source, ...right.source]),
    binary: new Set([...left.binary, ...right.binary]),
    debug: new Set([...left.debug, ...right.debug]),
  };
}

/** Trims the variants of a type; returns the names of what is left in them. */
function* trimType(run: TrimRun, type: VariantType, removed: Names): Turns<Names> {
  const kept = emptyNames();
  const ofType = [...run.variants.values()].filter((variant) => variant.type === type).sort(compareVariants);
  for (const arch of archesOfVariants(run.variants)) {
    for (const variant of ofType) {
      yield;
      const tree = run.trees.get(variant.uid)?.get(arch);
      const parent = run.trees.get(variant.parent ?? '')?.get(arch);
      if (tree !== undefined && parent !== undefined)
        yield* trimTree(run, variant, arch, tree, parent, removed, kept);
    }
  }
  return kept;
}

function* trimTree(
  run: TrimRun,
  variant: Variant,
  arch: string,
  tree: OpenTree,
  parent: OpenTree,
  removed: Names,
  kept: Names,
): Turns<void> {
  const { packages, warnings } = run;
  const { index } = packages;
  const keyOf = (id: number): string => `${index.nameOf(id)} ${index.archOf(id)}`;
  const parentKeys = new Set(
    [...parent.binary, ...parent.debug, ...parent.source, ...parent.lookaside].map(keyOf),
  );
  const isExcluded = marksExcluded(run, variant, arch);
  for (const kind of kinds) {
    const left: number[] = [];
    for (const [at, id] of tree[kind].entries()) {
      if (at % LOOKED_AT === 0) yield;
      const name = index.nameOf(id);
      if (removed[kind].has(name)) {
        if (variant.type === 'layered-product' && kind !== 'binary') left.push(id);
        else {
          const { href } = index.locationOf(id);
          warnings.push(
            `Removed addon package (arch: ${arch}, variant: ${variant.uid}): ${kindNames[kind]}: ${href}`,
          );
        }
      } else if (parentKeys.has(keyOf(id))) continue;
      else if (kind === 'binary' && isExcluded(id) && !tree.inputs.has(id)) parent.binary.push(id);
      else {
        left.push(id);
        kept[kind].add(name);
      }
    }
    tree[kind] = left;
  }
}

/** Whether a binary is of a build of the parent and so no matter of the child. */
function marksExcluded(run: TrimRun, variant: Variant, arch: string): (id: number) => boolean {
  if (variant.type !== 'addon' && variant.type !== 'layered-product') return () => false;
  const { index } = run.packages;
  const parent = run.gathered.get(variant.parent ?? '')?.get(arch);
  const sources = [...(parent?.source ?? []), ...(parent?.lookaside ?? [])].filter((id) =>
    index.isSource(id),
  );
  const names = new Set(sources.map((id) => index.nameOf(id)));
  return (id) => {
    const sourceRpm = index.sourceRpmOf(id);
    return sourceRpm !== null && names.has(nameOfFile(sourceRpm));
  };
}

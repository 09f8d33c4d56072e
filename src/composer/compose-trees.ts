import { KeptWith } from '../kept-with.ts';
import { checkName } from '../model/names.ts';
import {
  treePlaces,
  type PlacedVariant,
  type ProductmdVariant,
  type TreePlaces,
} from '../rpm/productmd-variant.ts';
import type { ComposeDocument, SelectedPackage, Selection, SourcePackage } from './selection.ts';

/** One repository of a compose. */
export interface Tree {
  /** Relative to `compose/`. */
  readonly directory: string;
  /** Where its packages lie, relative to the repository; empty where they lie in it. */
  readonly packagesDirectory: string;
  readonly variant: ProductmdVariant;
  readonly packages: readonly SourcePackage[];
  /** Null for sources. */
  readonly arch: string | null;
  /** The arch its dot files name, null where there are none. */
  readonly treeArch: string | null;
  readonly documents: readonly ComposeDocument[];
}

/**
 * Returns the places of an arch of a variant, relative to `compose/`. Throws `compose.path_outside` for what is no name.
 */
export function treeDirectories(variant: PlacedVariant, arch: string): TreePlaces {
  const error = { code: 'compose.path_outside' };
  checkName('variant', variant.uid, error);
  if (variant.parent !== null) checkName('variant', variant.parent, error);
  return treePlaces(variant, checkName('arch', arch, error));
}

/** Returns where a package lies in a repository of a compose. Source: main compose contract 7. */
export function locationIn(
  { layout }: Pick<Selection, 'layout'>,
  packagesDirectory: string,
  { location, fileName }: Pick<SourcePackage, 'location' | 'fileName'>,
): string {
  if (layout.areDirectoriesHashed && packagesDirectory === PACKAGES) return location;
  const name = layout.areDirectoriesHashed ? location.slice(PACKAGES.length + 1) : fileName;
  return packagesDirectory === '' ? name : `${packagesDirectory}/${name}`;
}

const PACKAGES = 'Packages';

/**
 * Returns the repositories that a compose consists of: binaries and debug of each arch of a variant, and its sources,
 * one for all arches. Source: pungi contract 4.
 */
export function listTrees({ variants, trees, documents }: Selection): Tree[] {
  return variants.flatMap((variant) => {
    const own = trees.filter((tree) => tree.variant === variant.uid);
    const isAddon = variant.type === 'addon';
    const packagesDirectory = isAddon ? '' : PACKAGES;
    const listed = own.flatMap((tree): Tree[] => {
      const { arch } = tree;
      const places = treeDirectories(variant, arch);
      return [
        {
          directory: places.binary.repository,
          packagesDirectory,
          variant,
          packages: keepPackages([tree.binary], listPackages),
          arch,
          treeArch: isAddon ? null : arch,
          documents: documents.filter(
            (document) => document.variant === variant.uid && document.arch === arch,
          ),
        },
        {
          directory: places.debug.repository,
          packagesDirectory,
          variant,
          packages: keepPackages([tree.debug], listPackages),
          arch,
          treeArch: null,
          documents: [],
        },
      ];
    });
    const [first] = own;
    if (first === undefined) return [];
    return [
      ...listed,
      {
        directory: treeDirectories(variant, first.arch).source.repository,
        packagesDirectory,
        variant,
        packages: keepPackages(
          own.map((tree) => tree.source),
          uniteLists,
        ),
        arch: null,
        treeArch: isAddon ? null : 'src',
        documents: [],
      },
    ];
  });
}

/** The packages of lists of a selection, and the lists that they are of. */
interface KeptPackages {
  readonly lists: readonly (readonly SelectedPackage[])[];
  readonly packages: readonly SourcePackage[];
}

/** By the first of the lists: what was selected before is the same list, and has the same packages. */
const keptPackages = new KeptWith<readonly SelectedPackage[], KeptPackages>();

/** Returns what `list` makes of lists; the same object for the same lists. */
function keepPackages(
  lists: KeptPackages['lists'],
  list: (lists: KeptPackages['lists']) => readonly SourcePackage[],
): readonly SourcePackage[] {
  const [first = []] = lists;
  const kept = keptPackages.get(first);
  const isSame = kept?.lists.length === lists.length && kept.lists.every((list, at) => list === lists[at]);
  if (isSame) return kept.packages;
  const packages = list(lists);
  keptPackages.set(first, { lists, packages });
  return packages;
}

function listPackages(lists: KeptPackages['lists']): SourcePackage[] {
  return lists.flatMap((list) => list.map((selected) => selected.package));
}

/** Of several packages of one file name the last one. */
function uniteLists(lists: KeptPackages['lists']): SourcePackage[] {
  const united = new Map<string, SourcePackage>();
  for (const list of lists) for (const { package: rpm } of list) united.set(rpm.fileName, rpm);
  return [...united.values()];
}

import { checkName } from '../model/names.ts';
import { treePaths, type ProductmdVariant, type TreePaths } from '../rpm/productmd-variant.ts';
import type { ComposeDocument, Selection, SourcePackage } from './selection.ts';

/** One repository of a compose. */
export interface Tree {
  /** Relative to `compose/`. */
  readonly directory: string;
  readonly variant: ProductmdVariant;
  readonly packages: readonly SourcePackage[];
  /** The arch its dot files name, null where there are none. */
  readonly treeArch: string | null;
  readonly documents: readonly ComposeDocument[];
}

/** Returns the directories of an arch of a variant, relative to `compose/`. Throws `compose.path_outside` for what is no name. */
export function treeDirectories(variant: string, arch: string): TreePaths {
  const error = { code: 'compose.path_outside' };
  return treePaths(checkName('variant', variant, error), checkName('arch', arch, error));
}

/**
 * Returns the repositories that a compose consists of: binaries and debug of each arch of a variant, and its sources,
 * one for all arches. Source: pungi contract 4.
 */
export function listTrees({ variants, trees, documents }: Selection): Tree[] {
  return variants.flatMap((variant) => {
    const own = trees.filter((tree) => tree.variant === variant.uid);
    const sources = new Map<string, SourcePackage>();
    for (const tree of own) for (const { package: one } of tree.source) sources.set(one.fileName, one);
    const listed = own.flatMap((tree): Tree[] => {
      const { arch } = tree;
      const directories = treeDirectories(variant.uid, arch);
      return [
        {
          directory: directories.binary,
          variant,
          packages: tree.binary.map((one) => one.package),
          treeArch: arch,
          documents: documents.filter((one) => one.variant === variant.uid && one.arch === arch),
        },
        {
          directory: directories.debug,
          variant,
          packages: tree.debug.map((one) => one.package),
          treeArch: null,
          documents: [],
        },
      ];
    });
    const [first] = own;
    if (first === undefined) return [];
    const directory = treeDirectories(variant.uid, first.arch).source;
    return [
      ...listed,
      { directory, variant, packages: [...sources.values()], treeArch: 'src', documents: [] },
    ];
  });
}

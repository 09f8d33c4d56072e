import { checkName } from '../model/names.ts';
import type { ExtraRecord } from '../rpm/repodata/extra-record.ts';
import type { ComposePlan } from './plan.ts';
import type { SourcePackage } from './selection.ts';

/** One repository of a compose. */
export interface Tree {
  /** Relative to `compose/`. */
  readonly directory: string;
  readonly packages: readonly SourcePackage[];
  /** The arch its dot files name, null where there are none. */
  readonly treeArch: string | null;
  readonly extra: readonly ExtraRecord[];
}

/** The directory of the source packages of all arches, relative to `compose/`. */
export const SOURCE_TREE = 'Temporary/source/tree';

/** The directories of an arch, relative to `compose/`. Throws `compose.path_outside` for what is no arch. */
export function treeDirectories(arch: string): Readonly<Record<'binary' | 'debug' | 'source', string>> {
  const name = checkName('arch', arch, { code: 'compose.path_outside' });
  return { binary: `Temporary/${name}/os`, debug: `Temporary/${name}/debug/tree`, source: SOURCE_TREE };
}

/** The repositories a compose consists of: binaries and debug of each arch, sources of all. Source: pungi contract 4. */
export function listTrees({ selection, request }: ComposePlan): Tree[] {
  const sources = new Map<string, SourcePackage>();
  const trees: Tree[] = [];
  for (const tree of selection.trees) {
    for (const { package: one } of tree.source) sources.set(one.fileName, one);
    const modules = selection.modules.get(tree.arch);
    const directories = treeDirectories(tree.arch);
    trees.push(
      {
        directory: directories.binary,
        packages: tree.binary.map((one) => one.package),
        treeArch: tree.arch,
        extra: [
          ...(selection.comps === null
            ? []
            : [{ type: 'group', name: 'comps.xml', content: selection.comps, compression: 'none' as const }]),
          ...(modules === undefined
            ? []
            : [{ type: 'modules', name: 'modules.yaml', content: modules, compression: 'gzip' as const }]),
        ],
      },
      {
        directory: directories.debug,
        packages: tree.debug.map((one) => one.package),
        treeArch: null,
        extra: [],
      },
    );
  }
  if (request.arches.length > 0) {
    trees.push({
      directory: SOURCE_TREE,
      packages: [...sources.values()],
      treeArch: 'src',
      extra: [],
    });
  }
  return trees;
}

import { formatExtraFiles, type ProductmdExtraFile } from '../../rpm/productmd-release.ts';
import { productmdCompose, type ComposeIdentity } from '../../rpm/productmd.ts';
import { treeDirectories } from '../compose-trees.ts';
import type { Pen } from '../pen.ts';
import type { Selection, TreeFile } from '../selection.ts';

/**
 * Writes the files beside packages and repodata, and what lists them: one list in each tree and one of the compose.
 * Nothing where nobody asked for files. Source: main compose contract 7.
 */
export function writeTreeFiles(
  pen: Pen,
  identity: ComposeIdentity,
  { files, variants }: Pick<Selection, 'files' | 'variants'>,
): void {
  if (files === null) return;
  const compose = productmdCompose(identity);
  const listed = new Map<string, Map<string, ProductmdExtraFile[]>>();
  // An addon has the tree of its parent, which has one list and one file of a name.
  const trees = new Map<string, Map<string, TreeFile>>();
  for (const file of files) {
    const variant = variants.find(({ uid }) => uid === file.variant);
    if (variant === undefined) throw new Error(`no variant is called ${file.variant}`);
    const places = treeDirectories(variant, file.arch);
    const { tree } = file.arch === 'src' ? places.source : places.binary;
    const inTree = trees.get(tree) ?? new Map<string, TreeFile>();
    trees.set(tree, inTree.set(file.path, file));
    const byArch = listed.get(file.variant) ?? new Map<string, ProductmdExtraFile[]>();
    listed.set(file.variant, byArch);
    byArch.set(file.arch, [...(byArch.get(file.arch) ?? []), entryOf(file, `${tree}/`)]);
  }
  for (const [tree, inTree] of trees) {
    for (const { path, bytes } of inTree.values()) pen.writeFile(`compose/${tree}/${path}`, bytes);
    const byVariant = Map.groupBy(inTree.values(), ({ variant }) => variant);
    const entries = Array.from(byVariant, ([uid, own]) => {
      const byArch = Map.groupBy(own, ({ arch }) => arch);
      return [
        uid,
        new Map(Array.from(byArch, ([arch, some]) => [arch, some.map((file) => entryOf(file, ''))])),
      ] as const;
    });
    pen.writeFile(`compose/${tree}/extra_files.json`, formatExtraFiles(compose, new Map(entries)));
  }
  pen.writeFile('compose/metadata/extra_files.json', formatExtraFiles(compose, listed));
}

function entryOf({ path, bytes, checksums }: TreeFile, prefix: string): ProductmdExtraFile {
  return { file: `${prefix}${path}`, size: bytes.byteLength, checksums };
}

import { mergeProductmdModules } from '../../rpm/productmd-modules.ts';
import { documentTypes } from '../documents/document-types.ts';
import { uniteDocuments } from '../documents/unite-documents.ts';
import type { PackageReader, Selected, SelectedPackage, SelectedTree, Selection } from '../selection.ts';

/** Joins what two sources selected; a file that both bring is there once, as the first has it. */
export async function mergeSelections(base: Selected, added: Selected): Promise<Selected> {
  const left = base.selection;
  const right = added.selection;
  const trees = left.trees.map((tree) => mergeTree(tree, right.trees));
  const united = await uniteDocuments(documentTypes, trees, [...left.documents, ...right.documents]);
  const selection: Selection = {
    pins: left.pins,
    release: left.release,
    variants: left.variants,
    layout: left.layout,
    files: left.files,
    repoclosures: left.repoclosures,
    imageTasks: left.imageTasks,
    trees,
    foreign: [...left.foreign, ...right.foreign],
    documents: united.documents,
    modulesJson: mergeProductmdModules([left.modulesJson, right.modulesJson]),
    unresolved: [...left.unresolved, ...right.unresolved],
    unmatched: [...left.unmatched, ...right.unmatched],
    replaced: [...left.replaced, ...right.replaced],
    warnings: [...left.warnings, ...right.warnings],
    remarks: [...left.remarks, ...right.remarks, ...united.remarks],
    notes: [...left.notes, ...right.notes],
  };
  return { selection, reader: mergeReaders(base.reader, added) };
}

function mergeTree(tree: SelectedTree, others: readonly SelectedTree[]): SelectedTree {
  const more = others.find(({ variant, arch }) => variant === tree.variant && arch === tree.arch);
  if (more === undefined) return tree;
  return {
    variant: tree.variant,
    arch: tree.arch,
    binary: join(tree.binary, more.binary),
    debug: join(tree.debug, more.debug),
    source: join(tree.source, more.source),
  };
}

function join(left: readonly SelectedPackage[], right: readonly SelectedPackage[]): SelectedPackage[] {
  const names = new Set(left.map((selected) => selected.package.fileName));
  return [...left, ...right.filter((selected) => !names.has(selected.package.fileName))];
}

/** A package is read where it came from, by the object that its source made of it. */
function mergeReaders(base: PackageReader, { selection, reader: added }: Selected): PackageReader {
  const own = new Set(
    selection.trees.flatMap((tree) =>
      [...tree.binary, ...tree.debug, ...tree.source].map((selected) => selected.package),
    ),
  );
  return {
    loadFragments: async (packages, signal) => {
      const mine = packages.filter((rpm) => own.has(rpm));
      const loadedMine = await added.loadFragments(mine, signal);
      const loadedBase = await base.loadFragments(
        packages.filter((rpm) => !own.has(rpm)),
        signal,
      );
      let nextMine = 0;
      let nextBase = 0;
      return packages.flatMap((rpm) => {
        const loaded = own.has(rpm) ? loadedMine[nextMine++] : loadedBase[nextBase++];
        return loaded === undefined ? [] : [loaded];
      });
    },
    noteFile: (rpm, found) => (own.has(rpm) ? added : base).noteFile?.(rpm, found),
  };
}

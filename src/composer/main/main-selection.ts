import type { Turns } from '../../in-turns.ts';
import { formatCompsDocument } from '../../rpm/format-comps.ts';
import type { RepositoryModuleDocument } from '../../rpm/modules-yaml.ts';
import { writeModulesYaml } from '../../rpm/modules-yaml.ts';
import { compsDocument } from '../documents/comps-document.ts';
import { documentOf } from '../documents/document-type.ts';
import { modulesDocument } from '../documents/modules-document.ts';
import { productIdDocument } from '../documents/product-id-document.ts';
import type { SelectedLists } from '../gather/selected-lists.ts';
import {
  newSelection,
  type ComposeDocument,
  type SelectedTree,
  type Selection,
  type SelectionPins,
  type SourcePackage,
  type TreeFile,
} from '../selection.ts';
import type { MainGather } from './gather-main.ts';
import type { GatheredTree } from './gather-variant.ts';
import type { MainDefinition } from './main-definition.ts';
import { describeVariant, modulesOfVariants } from './main-metadata.ts';
import type { MainPackages } from './main-packages.ts';
import { orderVariants } from './order-variants.ts';
import { compareVariants } from './variants.ts';

export interface MainSelectionInput {
  readonly definition: MainDefinition;
  readonly packages: MainPackages;
  readonly gathered: MainGather;
  readonly pins: SelectionPins;
  /** Defaults and obsoletes of modules; those of modules that a tree has are in its repository. */
  readonly moduleDocuments: readonly RepositoryModuleDocument[];
  /** Product certificates, by uid and arch. */
  readonly productIds: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;
  /** Files beside packages; null where the configuration does not speak of any. */
  readonly files: readonly TreeFile[] | null;
  /** Returns a package of the index as the source offers it; the same object for the same file. */
  readonly describe: (id: number) => SourcePackage;
  /** What was selected before. */
  readonly lists: SelectedLists;
}

/**
 * The selection of a main compose, for the plan and the build that every source type has: a tree for each arch of each
 * variant in the order of gathering, with its comps, modules and product certificate. Throws the codes of
 * `writeModulesYaml`. Source: main compose contract 7 and 8.
 */
export function* selectMain(input: MainSelectionInput): Turns<Selection> {
  const { definition, packages, gathered, pins } = input;
  const { areDirectoriesHashed, checksum } = definition.output;
  const { name, short, version, type, isInternal, treeinfoVersion } = definition.release;
  const trees: SelectedTree[] = [];
  const documents: ComposeDocument[] = [];
  for (const { uid } of orderVariants(definition.variants.values(), definition.variantLookasides)) {
    for (const [arch, tree] of gathered.trees.get(uid) ?? []) {
      trees.push({ variant: uid, arch, ...(yield* selectTree(input, `${uid} ${arch}`, tree)) });
      documents.push(...listDocuments(input, uid, arch));
      yield;
    }
  }
  return {
    ...newSelection({
      pins,
      trees,
      documents,
      layout: { areDirectoriesHashed, checksum },
      files: input.files,
      imageTasks: definition.imageTasks,
      modulesJson: modulesOfVariants(packages),
      warnings: gathered.warnings,
    }),
    release: { name, short, version, type, isInternal, treeinfoVersion, baseProduct: definition.baseProduct },
    variants: [...definition.variants.values()]
      .sort(compareVariants)
      .map((variant) => describeVariant(definition, variant)),
  };
}

function listDocuments(input: MainSelectionInput, variant: string, arch: string): ComposeDocument[] {
  const { packages, gathered } = input;
  const place = { variant, arch };
  const documents: ComposeDocument[] = [];
  const comps = gathered.comps.byVariant.get(variant)?.get(arch);
  if (comps !== undefined) {
    documents.push(documentOf(compsDocument, place, Buffer.from(formatCompsDocument(comps))));
  }
  const streams = (packages.modules.get(variant)?.get(arch) ?? []).map(({ stream }) => stream);
  const modules = writeModulesYaml([...streams, ...input.moduleDocuments]);
  if (modules !== null) documents.push(documentOf(modulesDocument, place, Buffer.from(modules)));
  const productId = input.productIds.get(variant)?.get(arch);
  if (productId !== undefined) documents.push(documentOf(productIdDocument, place, productId));
  return documents;
}

function* selectTree(
  { packages, describe, lists }: MainSelectionInput,
  place: string,
  tree: GatheredTree,
): Turns<Pick<SelectedTree, 'binary' | 'debug' | 'source'>> {
  const gathered = {
    index: packages.index,
    describe,
    why: (id: number) => tree.why(id),
    otherwise: 'moved here from a child',
  };
  return {
    binary: yield* lists.select(gathered, `${place} binary`, tree.binary),
    debug: yield* lists.select(gathered, `${place} debug`, tree.debug),
    source: yield* lists.select(gathered, `${place} source`, tree.source),
  };
}

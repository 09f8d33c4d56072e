import { ReactorError } from '../../model/errors.ts';
import { formatCompsDocument } from '../../rpm/format-comps.ts';
import type { RepositoryModuleDocument } from '../../rpm/modules-yaml.ts';
import { writeModulesYaml } from '../../rpm/modules-yaml.ts';
import { compsDocument } from '../documents/comps-document.ts';
import { documentOf } from '../documents/document-type.ts';
import { modulesDocument } from '../documents/modules-document.ts';
import { explainWhy } from '../gather/gather-result.ts';
import {
  newSelection,
  type ComposeDocument,
  type SelectedPackage,
  type SelectedTree,
  type Selection,
  type SelectionPins,
  type SourcePackage,
} from '../selection.ts';
import type { MainGather } from './gather-main.ts';
import type { GatheredTree } from './gather-variant.ts';
import type { MainDefinition } from './main-definition.ts';
import { bareIdOf, modulesOfVariants } from './main-metadata.ts';
import type { MainPackages } from './main-packages.ts';
import { compareVariants } from './variants.ts';

export interface MainSelectionInput {
  readonly definition: MainDefinition;
  readonly packages: MainPackages;
  readonly gathered: MainGather;
  readonly pins: SelectionPins;
  /** Defaults and obsoletes of modules; those of modules that a tree has are in its repository. */
  readonly moduleDocuments: readonly RepositoryModuleDocument[];
  /** Returns a package of the index as the source offers it; the same object for the same file. */
  readonly describe: (id: number) => SourcePackage;
}

/**
 * The selection of a main compose, for the plan and the build that every source type has: a tree for each arch of each
 * variant, with its comps and modules. Throws `main.not_native` for addons, whose repositories lie in trees of others,
 * and the codes of `writeModulesYaml`.
 */
export function selectMain(input: MainSelectionInput): Selection {
  const { definition, packages, gathered, pins } = input;
  const { name, short, version, type, isInternal } = definition.release;
  const variants = [...definition.variants.values()].filter(({ isEmpty }) => !isEmpty).sort(compareVariants);
  const addon = variants.find(({ type }) => type === 'addon');
  if (addon !== undefined) {
    throw new ReactorError('main.not_native', `The addon ${addon.uid} cannot be built yet.`, {
      hint: 'Make it a variant or an optional.',
    });
  }
  const trees: SelectedTree[] = [];
  const documents: ComposeDocument[] = [];
  for (const { uid } of variants) {
    for (const [arch, tree] of gathered.trees.get(uid) ?? []) {
      const place = { variant: uid, arch };
      trees.push({ ...place, ...selectTree(input, tree) });
      const comps = gathered.comps.byVariant.get(uid)?.get(arch);
      if (comps !== undefined) {
        documents.push(documentOf(compsDocument, place, Buffer.from(formatCompsDocument(comps))));
      }
      const streams = (packages.modules.get(uid)?.get(arch) ?? []).map(({ stream }) => stream);
      const modules = writeModulesYaml([...streams, ...input.moduleDocuments]);
      if (modules !== null) documents.push(documentOf(modulesDocument, place, Buffer.from(modules)));
    }
  }
  return {
    ...newSelection({
      pins,
      trees,
      documents,
      modulesJson: modulesOfVariants(packages),
      warnings: gathered.warnings,
    }),
    release: { name, short, version, type, isInternal },
    variants: variants.map((variant) => ({
      uid: variant.uid,
      id: bareIdOf(variant),
      name: variant.name,
      type: variant.type,
    })),
  };
}

function selectTree(
  { packages, describe }: MainSelectionInput,
  tree: GatheredTree,
): Pick<SelectedTree, 'binary' | 'debug' | 'source'> {
  const { index } = packages;
  const select = (id: number): SelectedPackage => {
    const known = describe(id);
    return {
      package: known,
      // Made only for those who ask.
      get why() {
        const why = tree.why(id);
        return why === null ? 'moved here from a child' : explainWhy(index, known, why);
      },
    };
  };
  return { binary: tree.binary.map(select), debug: tree.debug.map(select), source: tree.source.map(select) };
}

import { TEMPORARY } from '../../../model/compose.ts';
import { packagesOf } from '../../../model/request-rules.ts';
import { ReactorError } from '../../../model/errors.ts';
import { mergeProductmdModules } from '../../../rpm/productmd-modules.ts';
import { listComps } from '../../documents/comps-document.ts';
import type { DocumentType } from '../../documents/document-type.ts';
import { uniteDocuments } from '../../documents/unite-documents.ts';
import {
  newSelection,
  type ComposeDocument,
  type SelectedTree,
  type SelectPackages,
  type SourcePackage,
} from '../../selection.ts';
import { FragmentKeeper } from '../../repositories/fragment-keeper.ts';
import { findPart, type PartContext } from '../../parts/find-part.ts';
import {
  readModulesJson,
  readPartTree,
  readSigkeys,
  type PartTree,
  type PublishedPart,
} from '../../parts/read-part.ts';
import type { SourceContext } from '../source-definition.ts';
import { RepositoryCache } from '../../repositories/repository-cache.ts';
import { keepSources, unitePackages } from './unite-packages.ts';

const PARTS_KEPT = 24;

/** Returns the source of composes of this service; null where no database lists them. */
export function openComposeSource({
  kysely,
  targetDirs,
  documentTypes,
  caches,
}: SourceContext): SelectPackages | null {
  if (kysely === null) return null;
  return createComposeSource({
    kysely,
    repositories: caches.register(new RepositoryCache({ most: PARTS_KEPT })),
    fragments: caches.register(new FragmentKeeper()),
    targetDirs,
    documentTypes,
  });
}

export interface ComposeSourceContext extends PartContext {
  readonly repositories: RepositoryCache;
  readonly fragments: FragmentKeeper;
  readonly documentTypes: readonly DocumentType[];
}

/**
 * Source type `compose`: the union of finished composes of this service, named by id or by series (then its newest
 * done one). The newest of every name and arch wins, packages of modules are all kept. Throws
 * `compose.part_unknown`, `compose.part_not_done` (retried while it is being made), `compose.part_unreadable`,
 * `compose.parts_whole` and what reading the parts throws.
 */
export function createComposeSource(resources: ComposeSourceContext): SelectPackages {
  return async (context, request) => {
    if (packagesOf(request) !== null) {
      throw new ReactorError('compose.parts_whole', 'A compose of composes holds its parts whole.', {
        hint: 'Leave packages out, or compose the packages from their own source.',
      });
    }
    const parts = await findParts(resources, request.source);
    const trees: SelectedTree[] = [];
    const remarks: string[] = [];
    const documents: ComposeDocument[] = [];
    const read: PartTree[] = [];
    const sigkeys = new Map(parts.map((part) => [part, readSigkeys(part)]));
    for (const [index, arch] of request.arches.entries()) {
      context.progress('resolve', index, request.arches.length, 'arches');
      const ofArch: PartTree[] = [];
      for (const part of parts) {
        const { repositories, documentTypes } = resources;
        const reading = { repositories, documentTypes, signal: context.signal };
        ofArch.push(await readPartTree(reading, part, arch, sigkeys.get(part) ?? new Map()));
      }
      read.push(...ofArch);
      for (const { part, binary } of ofArch) {
        if (binary.length === 0) remarks.push(`Compose ${part.id} has no packages for ${arch}.`);
      }
      const united = uniteTree(arch, ofArch);
      trees.push(united.tree);
      remarks.push(...united.conflicts);
      documents.push(...ofArch.flatMap((tree) => tree.documents));
      remarks.push(...ofArch.flatMap((tree) => tree.remarks));
    }
    const united = await uniteDocuments(resources.documentTypes, trees, documents);
    const selection = newSelection({
      // Parts are named in `source` only: a part made anew with the same content changes nothing.
      pins: { source: parts.map((part) => part.id).join(' '), kojiEvent: null },
      trees,
      documents: [...listComps(trees), ...united.documents],
      modulesJson: mergeProductmdModules(parts.map(readModulesJson)),
      // They name parts: one made anew with the same content must not make this compose another.
      remarks: [...remarks, ...united.remarks],
    });
    return {
      selection,
      reader: {
        loadFragments: (wanted) => resources.fragments.load(wanted, (rpm) => repositoryOf(read, rpm)),
      },
    };
  };
}

function repositoryOf(trees: readonly PartTree[], rpm: SourcePackage) {
  for (const tree of trees) {
    const repository = tree.repositories.get(rpm);
    if (repository !== undefined) return repository;
  }
  throw new Error(`${rpm.fileName} is in no part`);
}

function uniteTree(
  arch: string,
  trees: readonly PartTree[],
): { readonly tree: SelectedTree; readonly conflicts: readonly string[] } {
  const modular = new Set(
    trees.flatMap(({ modules }) =>
      modules.flatMap((document) => (document.kind === 'stream' ? document.artifacts : [])),
    ),
  );
  const of = (kind: 'binary' | 'debug' | 'source') =>
    trees.map((tree) => ({ part: `compose ${tree.part.id}`, packages: tree[kind] }));
  const binary = unitePackages(of('binary'), modular);
  const debug = unitePackages(of('debug'), modular);
  const source = keepSources(of('source'), [...binary.packages, ...debug.packages]);
  return {
    tree: { variant: TEMPORARY, arch, binary: binary.packages, debug: debug.packages, source },
    conflicts: [...binary.conflicts, ...debug.conflicts],
  };
}

/** The parts in the order they were named, each once. */
async function findParts(
  resources: ComposeSourceContext,
  words: readonly string[],
): Promise<PublishedPart[]> {
  const parts = new Map<number, PublishedPart>();
  for (const word of words) {
    const part = await findPart(resources, word);
    parts.set(part.id, part);
  }
  return [...parts.values()];
}

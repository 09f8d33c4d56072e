import { existsSync } from 'node:fs';
import { ReactorError } from '../../model/errors.ts';
import { formatNsvc } from '../../model/nsvc.ts';
import type { ProductmdModules } from '../../rpm/productmd-modules.ts';
import { readModuleDocuments } from '../../rpm/modulemd.ts';
import { formatNsvca, repositoryDocuments, type RepositoryModuleDocument } from '../../rpm/modules-yaml.ts';
import type { Repository } from '../../rpm/repodata/read-repository.ts';
import { treeDirectories } from '../compose-trees.ts';
import { carryDocuments } from '../documents/carry-documents.ts';
import { compsDocument } from '../documents/comps-document.ts';
import type { DocumentType } from '../documents/document-type.ts';
import { modulesDocument } from '../documents/modules-document.ts';
import { fileSourcesOf, type LoadedRepositories } from '../gather/load-repositories.ts';
import type { MainDefinition, PackageInput } from '../main/main-definition.ts';
import type { MainPackageSet, VariantModule } from '../main/main-packages.ts';
import { archesOfVariants } from '../main/variants.ts';
import { findPart, type PartContext } from '../parts/find-part.ts';
import { packageOfPart, readModulesJson, readSigkeys, type PublishedPart } from '../parts/read-part.ts';
import { pathBelow } from '../pen.ts';
import {
  temporaryVariant,
  type ComposeDocument,
  type SelectContext,
  type SourcePackage,
} from '../selection.ts';
import type { MainInput, PinnedInput } from './main-input.ts';
import {
  digestOfRepositories,
  listLookasides,
  pinRepositories,
  type PinnedRepositories,
  type RepositoryResources,
} from './open-repositories.ts';
import { readPackage } from './read-package.ts';

type PartsInput = Extract<PackageInput, { kind: 'composes' }>;

/** What composes of this service are read with. */
export interface PartResources extends RepositoryResources {
  readonly documentTypes: readonly DocumentType[];
  /** Null where nothing is published. */
  readonly composes: PartContext | null;
}

/** A compose that is a part, as the definition names it. */
interface NamedPart {
  readonly word: string;
  readonly part: PublishedPart;
}

/** The same, with what it says of itself. */
interface DescribedPart extends NamedPart {
  /** By path below `compose/`. */
  readonly sigkeys: ReadonlyMap<string, string | null>;
  readonly modules: ProductmdModules;
}

/** A tree of a part, relative to the part's `compose/`. */
interface PartTree {
  readonly named: NamedPart;
  readonly tree: string;
  readonly directory: string;
}

/**
 * Pins what a compose of composes gathers from: the parts that the definition names, each as a set for the variants that
 * take from it. `pinned` has composes that are taken instead of what series show now. Throws `compose.part_unknown`,
 * `compose.part_not_done`, `compose.part_unreadable` (retried where a series names the part, since it shows another by
 * then), and what the lookaside repositories throw.
 */
export async function pinPartPackages(
  resources: PartResources,
  { signal }: Pick<SelectContext, 'signal'>,
  definition: MainDefinition,
  input: PartsInput,
  pinned: ReadonlyMap<string, number>,
): Promise<PinnedInput> {
  const named = await findParts(resources, input, pinned);
  const trees = listTrees(named, archesOfVariants(definition.variants));
  const places = { lookasides: listLookasides(definition), others: [], own: [...trees.keys()] };
  const repositories = await untilGone(named, () => pinRepositories(resources, places, signal));
  const parts = named.map(({ word, part }) => `${word} ${part.directory}`);
  return {
    digest: repositories.digest === null ? null : [...parts, repositories.digest].join('\n'),
    event: null,
    parts: named.flatMap(({ word, part }) => (isId(word) ? [] : [`${word}=${part.id}`])),
    isTrue: () => Promise.resolve(true),
    use: async (work) =>
      work(await readParts(resources, signal, definition, input, { named, trees, parts, repositories })),
  };
}

/** Parts that were found, and their repositories. */
interface PinnedParts {
  readonly named: readonly NamedPart[];
  readonly trees: ReadonlyMap<string, PartTree>;
  /** What each is. */
  readonly parts: readonly string[];
  readonly repositories: PinnedRepositories;
}

async function readParts(
  resources: PartResources,
  signal: AbortSignal,
  definition: MainDefinition,
  input: PartsInput,
  { named: found, trees, parts, repositories: pinned }: PinnedParts,
): Promise<MainInput> {
  const named = found.map((namedPart): DescribedPart => {
    const modules = readModulesJson(namedPart.part);
    return { ...namedPart, sigkeys: readSigkeys(namedPart.part), modules };
  });
  const arches = archesOfVariants(definition.variants);
  const loaded = await untilGone(named, () => pinned.load());
  const { lookasides, others } = pinned;
  const { index, repositories } = loaded;
  const idsOf = groupByRepository(loaded);
  const numberOf = (directory: string): number => others.get(directory) ?? -1;
  const sets = named.map((part): MainPackageSet => {
    const byArch = new Map(
      arches.map((arch) => [
        arch,
        directoriesOf(part, arch).flatMap(({ directory }) => idsOf.get(numberOf(directory)) ?? []),
      ]),
    );
    const ids = [...new Set([...byArch.values()].flat())];
    return { name: part.word, ids, variants: usersOf(definition, input, part.word), idsByArch: byArch };
  });
  const brought = await untilGone(named, () =>
    readDocuments(resources, definition, input, named, (directory) => repositories[numberOf(directory)]),
  );
  const described = new Map<string, SourcePackage>();
  const numbers = new Map<SourcePackage, number>();
  const sigkeysOf = new Map(named.map(({ word, sigkeys }) => [word, sigkeys]));
  const partTrees = new Map([...trees.values()].map((tree) => [numberOf(tree.directory), tree]));
  return {
    packages: {
      index,
      files: fileSourcesOf(loaded),
      sets,
      lookasides,
      modules: brought.modules,
      archRestrictionsOf: () => null,
    },
    describe(id) {
      const number = index.columns.repository.at(id);
      const of = partTrees.get(number);
      if (of === undefined) throw new Error(`package ${id} is of no part`);
      const key = `${index.locationOf(id).href.split('/').at(-1) ?? ''}\0${index.pkgidOf(id)}`;
      const known = described.get(key);
      if (known !== undefined) return known;
      const rpm = packageOfPart(index, id, of.directory, (href) =>
        sigkeysOf.get(of.named.word)?.get(`${of.tree}/${href}`),
      );
      described.set(key, rpm);
      numbers.set(rpm, number);
      return rpm;
    },
    reader: {
      loadFragments: (packages) =>
        resources.fragments.load(packages, (rpm) => {
          const repository = repositories[numbers.get(rpm) ?? -1];
          if (repository === undefined) throw new Error(`${rpm.fileName} is of no part`);
          return repository;
        }),
    },
    readPackage: (rpm) => readPackage(resources.readUrl, rpm, signal),
    warnings: [],
    parts: {
      documents: brought.documents,
      moduleDocuments: brought.moduleDocuments,
    },
    requireSigned: () => Promise.resolve(),
    digestRead() {
      const digest = digestOfRepositories(repositories);
      return digest === null ? null : [...parts, digest].join('\n');
    },
    listRemarks: () => [...lackingArches(named, arches), ...brought.remarks],
  };
}

function isId(word: string): boolean {
  return /^\d+$/.test(word);
}

async function findParts(
  { composes }: PartResources,
  { parts }: PartsInput,
  pinned: ReadonlyMap<string, number>,
): Promise<NamedPart[]> {
  if (composes === null) {
    throw new ReactorError('compose.part_unknown', 'Composes can only be looked up by the service itself.', {
      hint: 'Ask the service for a dry run instead.',
    });
  }
  const named: NamedPart[] = [];
  for (const word of parts) {
    const part = await findPart({ ...composes, only: 'open' }, String(pinned.get(word) ?? word));
    named.push({ word, part });
  }
  return named;
}

/** Runs what reads parts; says which one is gone where that is why it failed. */
async function untilGone<T>(named: readonly NamedPart[], read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const gone = named.find(({ part }) => !existsSync(part.directory));
    if (gone === undefined) throw cause;
    throw new ReactorError(
      'compose.part_unreadable',
      `Compose ${gone.part.id} was removed while it was read.`,
      {
        where: gone.part.directory,
        hint: isId(gone.word)
          ? 'Name a living compose.'
          : `The series ${gone.word} shows another one by now.`,
        fate: isId(gone.word) ? 'drop' : 'retry',
        cause,
      },
    );
  }
}

function directoriesOf(named: NamedPart, arch: string): PartTree[] {
  const { binary, debug, source } = treeDirectories(temporaryVariant, arch);
  return [binary, debug, source].flatMap(({ repository: tree }) => {
    const directory = pathBelow(named.part.directory, `compose/${tree}`);
    return existsSync(pathBelow(directory, 'repodata/repomd.xml')) ? [{ named, tree, directory }] : [];
  });
}

/** By directory: that of sources serves every arch, and two series may show one compose. */
function listTrees(named: readonly NamedPart[], arches: readonly string[]): Map<string, PartTree> {
  const trees = named.flatMap((part) => arches.flatMap((arch) => directoriesOf(part, arch)));
  return new Map(trees.map((tree) => [tree.directory, tree]));
}

function groupByRepository({ index }: LoadedRepositories): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let id = 0; id < index.count; id += 1) {
    if (index.isRemoved(id)) continue;
    const number = index.columns.repository.at(id);
    const ids = found.get(number) ?? [];
    ids.push(id);
    found.set(number, ids);
  }
  return found;
}

/** The variants that take from a part; null where all do. */
function usersOf(
  { variants }: MainDefinition,
  { partsOfVariants }: PartsInput,
  word: string,
): ReadonlySet<string> | null {
  if (partsOfVariants.size === 0) return null;
  const takes = (uid: string): boolean => partsOfVariants.get(uid)?.includes(word) ?? true;
  return new Set([...variants.keys()].filter(takes));
}

function lackingArches(named: readonly NamedPart[], arches: readonly string[]): string[] {
  return named.flatMap((namedPart) =>
    arches
      .filter(
        (arch) =>
          !existsSync(
            pathBelow(
              namedPart.part.directory,
              `compose/${treeDirectories(temporaryVariant, arch).binary.repository}`,
            ),
          ),
      )
      .map((arch) => `Compose ${namedPart.part.id} (${namedPart.word}) has no packages for ${arch}.`),
  );
}

interface Brought {
  readonly documents: readonly ComposeDocument[];
  readonly moduleDocuments: readonly RepositoryModuleDocument[];
  readonly modules: ReadonlyMap<string, ReadonlyMap<string, readonly VariantModule[]>>;
  readonly remarks: readonly string[];
}

/**
 * The documents of parts under the variants that take from them. Of two that say different things of one module the newer
 * compose's counts.
 */
async function readDocuments(
  { documentTypes }: PartResources,
  definition: MainDefinition,
  input: PartsInput,
  named: readonly DescribedPart[],
  repositoryOf: (directory: string) => Repository | undefined,
): Promise<Brought> {
  const documents: ComposeDocument[] = [];
  const remarks = new Set<string>();
  const notices = new Map<string, RepositoryModuleDocument>();
  const modules = new Map<string, Map<string, VariantModule[]>>();
  const newestFirst = named.toSorted((left, right) => right.part.id - left.part.id);
  for (const { uid, arches } of definition.variants.values()) {
    const own = newestFirst.filter(({ word }) => usersOf(definition, input, word)?.has(uid) ?? true);
    const byArch = new Map<string, VariantModule[]>();
    for (const arch of arches) {
      const streams = new Map<string, VariantModule>();
      for (const namedPart of own) {
        const directory = pathBelow(
          namedPart.part.directory,
          `compose/${treeDirectories(temporaryVariant, arch).binary.repository}`,
        );
        const repository = repositoryOf(directory);
        if (repository === undefined) continue;
        const carried = await carryDocuments('compose', repository, { variant: uid, arch }, documentTypes);
        for (const remark of carried.remarks) remarks.add(remark);
        for (const document of carried.documents) {
          if (document.type !== modulesDocument.type) {
            const isOwnComps = document.type === compsDocument.type && definition.comps !== null;
            if (!isOwnComps) documents.push(document);
            continue;
          }
          const text = Buffer.from(document.bytes).toString('utf8');
          for (const module of repositoryDocuments(readModuleDocuments(text, `${directory} modules`))) {
            if (module.kind !== 'stream') {
              const key = module.kind === 'defaults' ? module.module : module.text;
              if (!notices.has(key)) notices.set(key, module);
              continue;
            }
            const known = streams.get(formatNsvca(module));
            if (known === undefined) {
              streams.set(formatNsvca(module), {
                stream: module,
                kojiTag: kojiTagOf(namedPart, formatNsvc(module)),
              });
            } else if (known.stream.text !== module.text) {
              remarks.add(
                `Compose ${namedPart.part.id} (${namedPart.word}) has an older document of ${formatNsvca(module)}, which was left out.`,
              );
            }
          }
        }
      }
      byArch.set(arch, [...streams.values()]);
    }
    modules.set(uid, byArch);
  }
  return { documents, remarks: [...remarks], modules, moduleDocuments: [...notices.values()] };
}

function kojiTagOf({ modules }: DescribedPart, nsvc: string): string {
  for (const byArch of Object.values(modules)) {
    for (const entries of Object.values(byArch)) {
      const found = entries[nsvc];
      if (found !== undefined) return found.metadata.koji_tag;
    }
  }
  return '';
}

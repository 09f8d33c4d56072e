import { TEMPORARY } from '../../../model/compose.ts';
import { ReactorError } from '../../../model/errors.ts';
import type { Repository } from '../../../rpm/repodata/read-repository.ts';
import { urlBelow } from '../../../rpm/repodata/url-below.ts';
import { carryDocuments } from '../../documents/carry-documents.ts';
import { listComps } from '../../documents/comps-document.ts';
import type { DocumentType } from '../../documents/document-type.ts';
import { uniteDocuments } from '../../documents/unite-documents.ts';
import type { FragmentKeeper } from '../../repositories/fragment-keeper.ts';
import type { Leads } from '../../repositories/locate-package.ts';
import { packageOfRepository } from '../../repositories/package-of-repository.ts';
import type { RepositoryCache } from '../../repositories/repository-cache.ts';
import {
  newSelection,
  type ComposeDocument,
  type SelectContext,
  type Selected,
  type SelectedTree,
  type SourcePackage,
} from '../../selection.ts';
import type { ArchPaths } from './pungi-metadata.ts';
import type { PungiVariant } from './read-pungi-compose.ts';

export interface FilesContext {
  readonly repositories: RepositoryCache;
  readonly fragments: FragmentKeeper;
  readonly leads: Leads;
  readonly documentTypes: readonly DocumentType[];
}

const noPackages: readonly SourcePackage[] = [];

/**
 * Selects the RPMs of a variant out of its own repositories: each that the compose lists, and no other. Throws
 * `pungi.metadata_differ`, `pungi.path_outside` and what reading the repositories throws.
 */
export async function selectFiles(
  files: FilesContext,
  context: Pick<SelectContext, 'signal' | 'progress'>,
  compose: PungiVariant,
): Promise<Selected> {
  const reading = new Reading(files, compose, context.signal);
  const trees: SelectedTree[] = [];
  const documents: ComposeDocument[] = [];
  const leftOut = new Set<string>();
  for (const [index, arch] of compose.arches.entries()) {
    context.progress('resolve', index, compose.arches.length, 'arches');
    const paths = compose.repositories.get(arch) ?? missing(compose, arch);
    const { binary, debug, source, main } = await reading.readArch(arch, paths);
    const list = (packages: readonly SourcePackage[]) =>
      packages.map((rpm) => ({ package: rpm, why: `in ${compose.composeId}` }));
    const tree = { variant: TEMPORARY, arch };
    trees.push({ ...tree, binary: list(binary), debug: list(debug), source: list(source) });
    const carried = await carryDocuments('compose', main, tree, files.documentTypes);
    documents.push(...carried.documents);
    for (const remark of carried.remarks) leftOut.add(remark);
  }
  const united = await uniteDocuments(files.documentTypes, trees, documents);
  const selection = newSelection({
    pins: { source: '', kojiEvent: null },
    trees,
    documents: [...listComps(trees), ...united.documents],
    remarks: [...reading.complain(), ...new Set([...leftOut, ...united.remarks])],
  });
  return {
    selection,
    reader: { loadFragments: (wanted) => files.fragments.load(wanted, (rpm) => reading.repositoryOf(rpm)) },
  };
}

function missing({ url, composeId }: PungiVariant, arch: string): never {
  throw new ReactorError(
    'pungi.metadata_differ',
    `rpms.json of ${composeId} lists RPMs for ${arch}, composeinfo.json has no repository for it.`,
    { where: `${url}/metadata/composeinfo.json` },
  );
}

/** What is read of the repositories of one variant: one object for one file, whatever arches hold it. */
class Reading {
  readonly #files: FilesContext;
  readonly #compose: PungiVariant;
  readonly #signal: AbortSignal;
  readonly #packages = new Map<string, SourcePackage>();
  readonly #repositories = new Map<SourcePackage, Repository>();

  constructor(files: FilesContext, compose: PungiVariant, signal: AbortSignal) {
    this.#files = files;
    this.#compose = compose;
    this.#signal = signal;
  }

  async readArch(arch: string, paths: ArchPaths) {
    const { packages: binary, repository: main } = await this.#readRepository(arch, paths.binary);
    const debug =
      paths.debug === null ? noPackages : (await this.#readRepository(arch, paths.debug)).packages;
    const source =
      paths.source === null ? noPackages : (await this.#readRepository(arch, paths.source)).packages;
    return { binary, debug, source, main };
  }

  repositoryOf(rpm: SourcePackage): Repository {
    const repository = this.#repositories.get(rpm);
    if (repository === undefined) throw new Error(`${rpm.fileName} is in no repository of the compose`);
    return repository;
  }

  /** Returns a sentence about RPMs that the compose lists and has not got, if there are any. */
  complain(): readonly string[] {
    const found = new Set([...this.#packages.values()].map(({ fileName }) => fileName));
    const listed = new Set([...this.#compose.sigkeyOf.values()].flatMap((files) => [...files.keys()]));
    const absent = [...listed].filter((name) => !found.has(name)).sort();
    if (absent.length === 0) return [];
    const { composeId } = this.#compose;
    return [
      `${absent.length} RPMs that rpms.json of ${composeId} lists are in none of its repositories, ${absent[0] ?? ''} first.`,
    ];
  }

  async #readRepository(arch: string, path: string) {
    const { url, sigkeyOf } = this.#compose;
    const location = urlBelow(`${url}/`, path);
    if (location === null) throw new Error(`${path} lies in no compose`);
    const { index, repositories } = await this.#files.repositories.load(this.#signal, location, []);
    const [repository] = repositories;
    if (repository === undefined) throw new Error(`${location} was not opened`);
    const packages: SourcePackage[] = [];
    for (let id = 0; id < index.count; id += 1) {
      if (index.isRemoved(id)) continue;
      const { href } = index.locationOf(id);
      const sigkey = sigkeyOf.get(arch)?.get(href.slice(href.lastIndexOf('/') + 1));
      if (sigkey === undefined) continue;
      const key = `${location} ${href}`;
      const made =
        this.#packages.get(key) ?? packageOfRepository(index, id, { leads: this.#files.leads, sigkey });
      this.#packages.set(key, made);
      this.#repositories.set(made, repository);
      packages.push(made);
    }
    return { packages, repository };
  }
}

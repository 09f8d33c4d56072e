import { inTurns, type Turns } from '../../../in-turns.ts';
import { instrument } from '../../../instrument.ts';
import { pkgidOfContent } from '../../../model/content-id.ts';
import { TEMPORARY } from '../../../model/compose.ts';
import { ReactorError } from '../../../model/errors.ts';
import { gatherMethodOf, multilibMethodsOf, packagesOf } from '../../../model/request-rules.ts';
import { readFragments } from '../../../rpm/repodata/read-fragments.ts';
import type { Repository } from '../../../rpm/repodata/read-repository.ts';
import { parseHostList } from '../../../upstream/http/host-list.ts';
import type { RepoPolicy } from '../../../upstream/repo-access.ts';
import { explainWhy, type GatherResult } from '../../gather/gather-result.ts';
import { gatherPackageSet, type ArchInput, type ArchResult } from '../../gather/gather-package-set.ts';
import { fileSourcesOf } from '../../gather/load-repositories.ts';
import { listUnmatched, listUnresolved } from '../../gather/gather-complaints.ts';
import { carryDocuments } from '../../documents/carry-documents.ts';
import { listComps } from '../../documents/comps-document.ts';
import type { DocumentType } from '../../documents/document-type.ts';
import { uniteDocuments } from '../../documents/unite-documents.ts';
import type { Leads } from '../../repositories/locate-package.ts';
import type { OpenPlace } from '../../repositories/open-place.ts';
import { warnOfOddSourceRpms } from '../../repositories/odd-source-rpms.ts';
import { packageOfRepository } from '../../repositories/package-of-repository.ts';
import { readRestrictions, RESTRICTIONS_UNKNOWN } from '../../repositories/read-restrictions.ts';
import type { SourceContext } from '../source-definition.ts';
import { RepositoryCache } from '../../repositories/repository-cache.ts';
import {
  newSelection,
  type ComposeDocument,
  type SelectedPackage,
  type SelectedTree,
  type SelectPackages,
  type SourcePackage,
} from '../../selection.ts';

/** Returns the source of plain RPM repositories. */
export function openRepoSource(context: SourceContext): SelectPackages {
  const { config, readUrl, openPlace, targetDirs, documentTypes, caches } = context;
  return createRepoSource({
    repositories: caches.register(new RepositoryCache({ readUrl })),
    repoRoots: config.repo_roots,
    repoHosts: config.repo_hosts,
    openPlace,
    targetDirs: Object.values(targetDirs),
    documentTypes,
  });
}

export interface RepoSourceContext {
  readonly repositories: RepositoryCache;
  readonly repoRoots: readonly string[];
  readonly repoHosts: readonly string[];
  readonly openPlace: OpenPlace;
  /** Directories of composes, which other repositories do not lead into. */
  readonly targetDirs: readonly string[];
  readonly documentTypes: readonly DocumentType[];
}

/**
 * Source type `repo`: one RPM repository, a directory or an URL, the same for all arches; `$basearch` in it stands
 * for the arch. Its revision becomes the Koji event. Throws what opening and reading the repository throw.
 * Source: pungi contract 2.2, ODCS contract 15.
 */
export function createRepoSource(repo: RepoSourceContext): SelectPackages {
  return async (context, request) => {
    const [location] = request.source;
    if (location === undefined || request.source.length > 1) {
      throw new ReactorError(
        'repo.one_source',
        'A compose of source type "repo" has exactly one repository.',
      );
    }
    // What people name was let in when they asked; where it leads from there nobody has asked for.
    const policy: RepoPolicy = {
      repoRoots: repo.repoRoots,
      repoHosts: repo.repoHosts,
      isLoopbackClient: true,
    };
    const { repoRoots, targetDirs } = repo;
    const leads: Leads = { repoRoots, targetDirs, hosts: parseHostList(repo.repoHosts) };
    const open = (place: string): Promise<string> => repo.openPlace(place, policy);
    context.progress('resolve', 0, request.arches.length, 'arches');
    const inputs: ArchInput[] = [];
    const opened: Repository[] = [];
    const documents: ComposeDocument[] = [];
    const leftOut = new Set<string>();
    for (const arch of request.arches) {
      const main = await open(location.replaceAll('$basearch', arch));
      const lookaside = await Promise.all(
        request.lookasideRepos.map((place) => open(place.replaceAll('$basearch', arch))),
      );
      const loaded = await instrument('plan.read', { arch }, () =>
        repo.repositories.load(context.signal, main, lookaside),
      );
      opened.push(...loaded.repositories);
      const repository = loaded.repositories.at(-1);
      if (repository !== undefined) {
        const tree = { variant: TEMPORARY, arch };
        const carried = await carryDocuments('repo', repository, tree, repo.documentTypes);
        documents.push(...carried.documents);
        for (const remark of carried.remarks) leftOut.add(remark);
      }
      inputs.push({
        arch,
        index: loaded.index,
        files: fileSourcesOf(loaded),
        multilibMethods: multilibMethodsOf(request, arch),
      });
      context.progress('resolve', inputs.length, request.arches.length, 'arches');
    }
    const packages = packagesOf(request);
    let isGuessed = false;
    const results = await gatherPackageSet({ signal: context.signal }, inputs, {
      set: 'repositories',
      method: gatherMethodOf(request),
      packages,
      archRestrictionsOf: (index, source) => {
        const known = readRestrictions(index, source, leads);
        if (known === 'behind HTTP') isGuessed = true;
        return known === 'behind HTTP' ? null : known;
      },
    });
    const chosen = await inTurns(collect(results, leads));
    const revision = Number(
      opened.find((repository) => repository.location === inputs[0]?.index.repositories.at(-1)?.name)
        ?.revision,
    );
    const united = await uniteDocuments(repo.documentTypes, chosen.trees, documents);
    const selection = newSelection({
      pins: {
        source: request.source.join(' '),
        kojiEvent: request.kojiEvent ?? (Number.isSafeInteger(revision) ? revision : null),
      },
      trees: chosen.trees,
      documents: [...listComps(chosen.trees, packages ?? []), ...united.documents],
      unresolved: listUnresolved(results),
      unmatched: listUnmatched(results),
      remarks: [...(isGuessed ? [RESTRICTIONS_UNKNOWN] : []), ...new Set([...leftOut, ...united.remarks])],
      warnings: warnOfOddSourceRpms(chosen.trees),
    });
    return {
      selection,
      reader: { loadFragments: async (wanted) => loadFragments(chosen.repositories, opened, wanted) },
    };
  };
}

interface Chosen {
  readonly trees: readonly SelectedTree[];
  /** Name of the repository each package came from. */
  readonly repositories: ReadonlyMap<SourcePackage, string>;
}

/** The packages of every arch; one object for one file, whatever arches hold it. Their files are looked for. */
function* collect(results: readonly ArchResult[], leads: Leads): Turns<Chosen> {
  const known = new Map<string, SourcePackage>();
  const repositories = new Map<SourcePackage, string>();
  const describe = (result: GatherResult, id: number): SelectedPackage => {
    const { index } = result;
    const repository = index.repositoryOf(id).name;
    const { href, base = '' } = index.locationOf(id);
    const key = `${repository} ${base} ${href}`;
    const found = known.get(key) ?? packageOfRepository(index, id, { leads, sigkey: undefined });
    known.set(key, found);
    repositories.set(found, repository);
    const why = result.why(id);
    return { package: found, why: why === null ? 'chosen by name' : explainWhy(index, found, why) };
  };
  const trees: SelectedTree[] = [];
  for (const { arch, result } of results) {
    const list = function* (ids: readonly number[]): Turns<SelectedPackage[]> {
      const packages: SelectedPackage[] = [];
      for (const id of ids) {
        packages.push(describe(result, id));
        yield;
      }
      return packages;
    };
    trees.push({
      variant: TEMPORARY,
      arch,
      binary: yield* list(result.binary),
      debug: yield* list(result.debug),
      source: yield* list(result.source),
    });
  }
  return { trees, repositories };
}

async function loadFragments(
  repositoryOf: ReadonlyMap<SourcePackage, string>,
  opened: readonly Repository[],
  wanted: readonly SourcePackage[],
) {
  const pkgidOf = ({ payload }: SourcePackage): string => pkgidOfContent(payload);
  const loaded = new Map<string, Awaited<ReturnType<typeof readFragments>>>();
  for (const [location, packages] of Map.groupBy(wanted, (rpm) => repositoryOf.get(rpm) ?? '')) {
    const repository = opened.find((candidate) => candidate.location === location);
    if (repository === undefined) throw new Error(`the repository ${location} was not opened`);
    loaded.set(location, await readFragments(repository, packages.map(pkgidOf)));
  }
  return wanted.map((rpm) => {
    const fragments = loaded.get(repositoryOf.get(rpm) ?? '')?.get(pkgidOf(rpm));
    if (fragments === undefined) throw new Error(`no metadata for ${rpm.fileName}`);
    return fragments;
  });
}

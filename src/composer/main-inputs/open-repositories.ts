import { fileURLToPath } from 'node:url';
import type { Config } from '../../config.ts';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import type { Repository } from '../../rpm/repodata/read-repository.ts';
import type { MainDefinition } from '../main/main-definition.ts';
import type { FragmentKeeper } from '../repositories/fragment-keeper.ts';
import type { OpenPlace } from '../repositories/open-place.ts';
import {
  areRecognised,
  identityOfRepositories,
  type OpenedRepositories,
  type RepositoryCache,
} from '../repositories/repository-cache.ts';

/** What repositories that a configuration names are opened with. */
export interface RepositoryResources {
  readonly config: Pick<Config, 'repo_roots' | 'repo_hosts' | 'koji_profile'>;
  readonly readUrl: ReadUrl;
  readonly openPlace: OpenPlace;
  /** Name of a target directory to its path. */
  readonly targetDirs: Readonly<Record<string, string>>;
  /** Indexes of the repositories that were read last. */
  readonly repositories: RepositoryCache;
  /** Metadata of packages that were cut out of them. */
  readonly fragments: FragmentKeeper;
}

/** Repositories of a configuration whose repomd.xml was read, with their numbers in their index by location. */
export interface PinnedRepositories extends Pick<OpenedRepositories, 'load' | 'loadOwn'> {
  /** What they are; null where that does not show. */
  readonly digest: string | null;
  readonly lookasides: ReadonlyMap<string, number>;
  readonly others: ReadonlyMap<string, number>;
}

/** Lists the lookaside repositories of a compose. */
export function listLookasides({ settings }: MainDefinition): readonly string[] {
  const all = [...settings.values()].flatMap((arches) =>
    [...arches.values()].flatMap((ofArch) => ofArch.lookasideRepositories),
  );
  return [...new Set(all)];
}

/**
 * Opens repositories, lookaside ones first. Whoever may push to the repository of a configuration speaks here, so that
 * directories are read below `repo_roots` only. Throws what `checkRepoAccess` and `openRepository` throw.
 */
export async function pinRepositories(
  { config, openPlace, repositories }: Pick<RepositoryResources, 'config' | 'openPlace' | 'repositories'>,
  wanted: {
    readonly lookasides: readonly string[];
    readonly others: readonly string[];
    /** Directories of this service's own. */
    readonly own?: readonly string[];
  },
  signal: AbortSignal,
): Promise<PinnedRepositories> {
  const policy = {
    repoRoots: config.repo_roots,
    repoHosts: config.repo_hosts,
    isLoopbackClient: false,
  };
  const check = (places: readonly string[]) =>
    Promise.all(places.map((place) => openPlace(pathOf(place), policy)));
  const { lookasides, others, own = [] } = wanted;
  const opened = await repositories.open(signal, [
    ...(await check(lookasides)).map((location) => ({ location, isLookaside: true })),
    ...[...(await check(others)), ...own].map((location) => ({ location, isLookaside: false })),
  ]);
  return {
    digest: digestOfRepositories(opened.repositories),
    lookasides: new Map(lookasides.map((place, at) => [place, at])),
    others: new Map([...others, ...own].map((place, at) => [place, lookasides.length + at])),
    load: opened.load,
    loadOwn: opened.loadOwn,
  };
}

/** Returns what repositories are, null where that does not show. */
export function digestOfRepositories(repositories: readonly Repository[]): string | null {
  return areRecognised(repositories) ? identityOfRepositories(repositories) : null;
}

function pathOf(place: string): string {
  return place.startsWith('file:///') ? fileURLToPath(place) : place;
}

import { fileURLToPath } from 'node:url';
import type { Config } from '../../config.ts';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import { loadRepositories, type LoadedRepositories } from '../gather/load-repositories.ts';
import type { MainDefinition } from '../main/main-definition.ts';
import type { OpenPlace } from '../repositories/open-place.ts';

/** What repositories that a configuration names are opened with. */
export interface RepositoryMeans {
  readonly config: Pick<Config, 'repo_roots' | 'repo_hosts' | 'koji_profile'>;
  readonly readUrl: ReadUrl;
  readonly openPlace: OpenPlace;
  /** Name of a target directory to its path. */
  readonly targetDirs: Readonly<Record<string, string>>;
}

/** Repositories of a configuration in one index, with their numbers in it by location. */
export interface OpenedRepositories {
  readonly loaded: LoadedRepositories;
  readonly lookasides: ReadonlyMap<string, number>;
  readonly others: ReadonlyMap<string, number>;
}

/** Lists the lookaside repositories of a compose. */
export function listLookasides({ settings }: MainDefinition): readonly string[] {
  const all = [...settings.values()].flatMap((arches) =>
    [...arches.values()].flatMap((one) => one.lookasideRepositories),
  );
  return [...new Set(all)];
}

/**
 * Opens repositories, lookaside ones first. Whoever may push to the repository of a configuration speaks here, so that
 * directories are read below `repo_roots` only. Throws what `checkRepoAccess` and `loadRepositories` throw.
 */
export async function openRepositories(
  { config, readUrl, openPlace }: RepositoryMeans,
  wanted: {
    readonly lookasides: readonly string[];
    readonly others: readonly string[];
    /** Directories of this service's own. */
    readonly own?: readonly string[];
  },
  signal: AbortSignal,
): Promise<OpenedRepositories> {
  const policy = {
    repoRoots: config.repo_roots,
    repoHosts: config.repo_hosts,
    isLoopbackClient: false,
  };
  const open = (places: readonly string[], isLookaside: boolean) =>
    Promise.all(
      places.map(async (place) => ({ location: await openPlace(pathOf(place), policy), isLookaside })),
    );
  const { lookasides, others, own = [] } = wanted;
  const loaded = await loadRepositories({ readUrl, signal }, [
    ...(await open(lookasides, true)),
    ...(await open(others, false)),
    ...own.map((location) => ({ location, isLookaside: false })),
  ]);
  return {
    loaded,
    lookasides: new Map(lookasides.map((place, at) => [place, at])),
    others: new Map([...others, ...own].map((place, at) => [place, lookasides.length + at])),
  };
}

function pathOf(place: string): string {
  return place.startsWith('file:///') ? fileURLToPath(place) : place;
}

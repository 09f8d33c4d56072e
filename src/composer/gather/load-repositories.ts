import { inTurns } from '../../in-turns.ts';
import { parseComps, type Comps } from '../../rpm/comps.ts';
import type { RepositoryContext } from '../../rpm/repodata/location.ts';
import { openRepository, type Repository } from '../../rpm/repodata/read-repository.ts';
import { addPrimary } from './add-packages.ts';
import { addKnownFiles, type FileSource } from './complete-files.ts';
import { gatherInTurns } from './gather.ts';
import { GatherIndex } from './gather-index.ts';
import type { GatherResult } from './gather-result.ts';
import type { GatherContext, GatherOptions } from './gather-run.ts';
import { useIndex } from './use-index.ts';

/** A repository to be gathered from. */
export interface RepositoryToLoad {
  /** Directory path, file:// or http(s) URL. */
  readonly location: string;
  readonly isLookaside: boolean;
}

/** An index of repositories, with what opens their other metadata. */
export interface LoadedRepositories {
  readonly index: GatherIndex;
  /** By number of the repository in the index. */
  readonly repositories: readonly Repository[];
}

/**
 * Opens repositories and indexes their packages. Lookaside ones come first, so that a copy of theirs wins.
 * Throws what `openRepository`, `readParts` and `addPrimary` throw. Source: pungi contract 1.1.
 */
export async function loadRepositories(
  context: RepositoryContext,
  wanted: readonly RepositoryToLoad[],
): Promise<LoadedRepositories> {
  const index = new GatherIndex();
  const repositories: Repository[] = [];
  const ordered = [
    ...wanted.filter((repository) => repository.isLookaside),
    ...wanted.filter((repository) => !repository.isLookaside),
  ];
  for (const { location, isLookaside } of ordered) {
    const repository = await openRepository(context, location);
    const number = index.addRepository({ name: location, isLookaside });
    const size = repository.record('primary')?.openSize ?? 0;
    await addPrimary(index, number, repository.readParts('primary'), `${location} primary`, size);
    repositories.push(repository);
  }
  return { index, repositories };
}

/**
 * The groups and langpacks of every comps file of loaded repositories; empty when none has one. Throws what
 * `readRecord` and `parseComps` throw.
 */
export async function readComps(loaded: LoadedRepositories): Promise<Comps> {
  const found: Comps[] = [];
  for (const repository of loaded.repositories) {
    const type = ['group', 'group_gz', 'group_zst', 'group_xz'].find(
      (candidate) => repository.record(candidate) !== null,
    );
    if (type === undefined) continue;
    found.push(parseComps(await repository.readRecord(type), `${repository.location} ${type}`));
  }
  return {
    groups: found.flatMap((comps) => comps.groups),
    langpacks: found.flatMap((comps) => comps.langpacks),
  };
}

/** Where the files of loaded repositories can be read. */
export function fileSourcesOf(loaded: LoadedRepositories): FileSource[] {
  return loaded.repositories.map((repository, number) => ({
    repository: number,
    where: `${repository.location} filelists`,
    readFilelists: () => (repository.record('filelists') === null ? null : repository.readParts('filelists')),
  }));
}

/**
 * Gathers, reading the filelists first when it turns out that only they can answer. Throws what `gather` and
 * `completeFiles` throw.
 */
export async function gatherWithFiles(
  context: GatherContext,
  index: GatherIndex,
  sources: readonly FileSource[],
  options: GatherOptions,
): Promise<GatherResult> {
  return useIndex(index, async () => {
    context.signal?.throwIfAborted();
    const first = await inTurns(gatherInTurns(context, index, options));
    if (!first.needs.paths && !first.needs.runtimeFiles) return first;
    await addKnownFiles(index, sources);
    return inTurns(gatherInTurns(context, index, options));
  });
}

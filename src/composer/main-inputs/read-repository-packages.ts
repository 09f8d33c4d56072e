import { parseHostList } from '../../upstream/http/host-list.ts';
import { fileSourcesOf } from '../gather/load-repositories.ts';
import type { MainDefinition, PackageInput } from '../main/main-definition.ts';
import { gatherRepositorySet } from '../main/repository-set.ts';
import { packageOfRepository } from '../repositories/package-of-repository.ts';
import { readRestrictions, RESTRICTIONS_UNKNOWN } from '../repositories/read-restrictions.ts';
import type { SelectContext, SourcePackage } from '../selection.ts';
import type { MainInput, PinnedInput } from './main-input.ts';
import { readPackage } from './read-package.ts';
import {
  digestOfRepositories,
  listLookasides,
  pinRepositories,
  type PinnedRepositories,
  type RepositoryResources,
} from './open-repositories.ts';

/**
 * Pins what a compose of repositories gathers from. Throws what opening and reading repositories throws.
 * Source: main compose contract 5.
 */
export async function pinRepositoryPackages(
  resources: RepositoryResources,
  { signal }: Pick<SelectContext, 'signal'>,
  definition: MainDefinition,
  { locations }: Extract<PackageInput, { kind: 'repositories' }>,
): Promise<PinnedInput> {
  const wanted = {
    lookasides: listLookasides(definition),
    others: [...new Set([...locations.values()].flat())],
  };
  const pinned = await pinRepositories(resources, wanted, signal);
  const byArch = new Map(
    Array.from(locations, ([arch, list]) => [arch, list.map((place) => pinned.others.get(place) ?? -1)]),
  );
  return {
    digest: pinned.digest,
    event: null,
    parts: [],
    isTrue: () => Promise.resolve(true),
    use: async (work) => work(await readRepositories(resources, signal, definition, pinned, byArch)),
  };
}

async function readRepositories(
  { config, targetDirs, readUrl, fragments }: RepositoryResources,
  signal: AbortSignal,
  definition: MainDefinition,
  { lookasides, load }: PinnedRepositories,
  byArch: ReadonlyMap<string, readonly number[]>,
): Promise<MainInput> {
  const loaded = await load();
  const { index, repositories } = loaded;
  const files = fileSourcesOf(loaded);
  const set = await gatherRepositorySet({ signal }, definition, { index, files, byArch });
  const leads = {
    repoRoots: config.repo_roots,
    targetDirs: Object.values(targetDirs),
    hosts: parseHostList(config.repo_hosts),
    directories: new Map<string, string>(),
  };
  let isGuessed = false;
  const described = new Map<number, SourcePackage>();
  const numbers = new Map<SourcePackage, number>();
  return {
    packages: {
      index,
      files,
      sets: [set],
      lookasides,
      modules: new Map(),
      archRestrictionsOf(source) {
        const known = readRestrictions(index, source, leads);
        if (known !== 'behind HTTP') return known;
        isGuessed = true;
        return null;
      },
    },
    describe(id) {
      const known = described.get(id) ?? packageOfRepository(index, id, { leads, sigkey: undefined });
      described.set(id, known);
      numbers.set(known, index.columns.repository.at(id));
      return known;
    },
    reader: {
      loadFragments: (packages) =>
        fragments.load(packages, (rpm) => {
          const repository = repositories[numbers.get(rpm) ?? -1];
          if (repository === undefined) throw new Error(`${rpm.fileName} is of no repository`);
          return repository;
        }),
    },
    readPackage: (rpm) => readPackage(readUrl, rpm, signal),
    warnings: [],
    parts: null,
    requireSigned: () => Promise.resolve(),
    // What is guessed of headers may be read another time.
    digestRead: () => (isGuessed ? null : digestOfRepositories(repositories)),
    listRemarks: () => (isGuessed ? [RESTRICTIONS_UNKNOWN] : []),
  };
}

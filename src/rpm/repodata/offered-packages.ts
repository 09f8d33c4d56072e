import { compareEvr, type Evr } from '../../model/evr.ts';
import { listPackages } from './list-packages.ts';
import { openComposeRepositories } from './open-compose-repositories.ts';

/** Of the repositories of binary packages, addons included: `compose/Server/x86_64/os`. */
const binaryRepository = /^compose\/[^/]+\/([^/]+)\/os(?:\/|$)/;

/** Adds a package to the newest ones by name. */
export function addOffered(newest: Map<string, Evr>, name: string, evr: Evr): void {
  const before = newest.get(name);
  if (before === undefined || compareEvr(before, evr) < 0) {
    newest.set(name, { epoch: evr.epoch, version: evr.version, release: evr.release });
  }
}

/**
 * Reads the newest version of each binary package that a published compose has, by arch and name, over all variants; null
 * where its repositories are not here. Throws what reading repodata throws.
 */
export async function readOfferedPackages(
  directory: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Evr>> | null> {
  const repositories = await openComposeRepositories(directory, signal);
  if (repositories.length === 0) return null;
  const offered = new Map<string, Map<string, Evr>>();
  for (const { path, repository } of repositories) {
    const [, arch] = binaryRepository.exec(path) ?? [];
    if (arch === undefined) continue;
    const newest = offered.get(arch) ?? new Map<string, Evr>();
    offered.set(arch, newest);
    for await (const some of listPackages(repository.readParts('primary'), `${path} primary`)) {
      for (const listed of some) addOffered(newest, listed.name, listed);
    }
  }
  return offered;
}

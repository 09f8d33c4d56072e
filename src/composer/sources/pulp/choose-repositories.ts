import type { PulpRepository } from '../../../upstream/pulp/pulp.ts';

/** One section of a `.repo` file: a repository of Pulp, or one for each arch whose URLs differ in that only. */
export interface ChosenRepositories {
  /** Of the section. */
  readonly id: string;
  /** With `$basearch` where it stands for several. */
  readonly url: string;
  readonly repositories: readonly PulpRepository[];
}

/**
 * Decides which repositories of one content set (or id) are given to clients: of several versions for one arch the
 * highest, of one for each arch a single URL with `$basearch`, and of what is left every one, in a section of its own.
 * Source: ODCS contract 18, but that versions are compared as numbers, and that nothing is merged.
 */
export function chooseRepositories(
  name: string,
  repositories: readonly PulpRepository[],
): readonly ChosenRepositories[] {
  const left = newestVersion(repositories) ?? repositories;
  const groups = [
    ...Map.groupBy(left, (repository) => (left.length === 1 ? repository.url : urlOfArches(repository))),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  return groups.map(([url, own], at) => ({
    id: groups.length === 1 ? name : `${name}-${at + 1}`,
    url: own.length === 1 ? (own[0]?.url ?? url) : url,
    repositories: own,
  }));
}

/** Returns the URL of a repository with `$basearch` in the place of its arch. */
export function urlOfArches({ url, arch }: Pick<PulpRepository, 'url' | 'arch'>): string {
  if (arch === null) return url;
  return url
    .split('/')
    .map((part, at) => (at > 2 && part === arch ? '$basearch' : part))
    .join('/');
}

/** Returns the repository of the highest version where all are of one arch and of one version each; else null. */
function newestVersion(repositories: readonly PulpRepository[]): readonly PulpRepository[] | null {
  const arches = new Set(repositories.map(({ arch }) => arch));
  if (arches.size !== 1) return null;
  const versions = repositories.map(({ productVersions }) => readVersion(productVersions));
  const [first] = versions;
  if (first === undefined || versions.some((version) => version === null || version.length !== first?.length))
    return null;
  let newest = 0;
  for (const [at, version] of versions.entries()) {
    if (compareVersions(version ?? [], versions[newest] ?? []) > 0) newest = at;
  }
  return repositories.slice(newest, newest + 1);
}

function readVersion(versions: readonly string[]): readonly number[] | null {
  const [version, ...others] = versions;
  if (version === undefined || others.length > 0 || !/^\d{1,9}(?:\.\d{1,9})*$/.test(version)) return null;
  return version.split('.').map(Number);
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (const [at, part] of a.entries()) {
    const other = b[at] ?? 0;
    if (part !== other) return part - other;
  }
  return 0;
}

import { realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { ReactorError } from '../model/errors.ts';
import { hostOf, isLoopback, parseHostList } from './http/host-list.ts';

/** Which repositories may be read, and for whom. */
export interface RepoPolicy {
  /** Directories that repositories may lie in; empty means any, for clients on this machine. */
  readonly repoRoots: readonly string[];
  /** Hosts that repositories may be fetched from, as `parseHostList` reads them. */
  readonly repoHosts: readonly string[];
  /** Whether the one who asks is on this machine; the composer, which runs what was let in, passes true. */
  readonly isLoopbackClient: boolean;
}

function refuse(message: string, where: string, hint: string): never {
  throw new ReactorError('repo.not_allowed', message, { where, hint });
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way));
}

/** Returns the path with links resolved as far as it exists. */
export async function realOrResolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realOrResolved(parent), basename(path));
  }
}

/**
 * Checks that the repository at `location`, an absolute path or an http(s) URL, may be read, and returns it with
 * `..` and links resolved. A directory that does not exist passes where its name is allowed: reading it tells.
 * Throws `repo.not_allowed`, or `request.invalid_source` for what is neither path nor URL. The API asks when a
 * request comes in, the composer again right before it reads, so that a link made in between gains nothing.
 */
export async function checkRepoAccess(location: string, policy: RepoPolicy): Promise<string> {
  if (isAbsolute(location)) return checkDirectory(location, policy);
  const url = URL.parse(location);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) {
    return checkUrl(url, location, policy);
  }
  throw new ReactorError(
    'request.invalid_source',
    `A repository must be an absolute path or an http(s) URL, but got ${location}`,
  );
}

function checkUrl(url: URL, location: string, policy: RepoPolicy): string {
  const hosts = parseHostList(policy.repoHosts);
  if (hosts.allows(url, policy.isLoopbackClient ? 'local person' : 'person')) return location;
  const host = hostOf(url);
  if (isLoopback(host) && hosts.allows(url, 'local person')) {
    refuse(
      `Repositories of the host ${host} are open to clients on this machine only.`,
      location,
      'Name the host as other machines do, or list it in repo_hosts with its port.',
    );
  }
  return refuse(
    `Repositories of the host ${url.host} are not allowed.`,
    location,
    'The setting repo_hosts lists the hosts.',
  );
}

async function checkDirectory(location: string, policy: RepoPolicy): Promise<string> {
  const path = resolve(location);
  if (policy.repoRoots.length === 0) {
    if (!policy.isLoopbackClient) {
      refuse(
        'Local repositories are open to clients on this machine only.',
        location,
        'The setting repo_roots opens directories to everybody.',
      );
    }
    return realOrResolved(path);
  }
  const real = await realOrResolved(path);
  for (const root of policy.repoRoots) {
    const resolvedRoot = resolve(root);
    const named = isInside(path, resolvedRoot) || isInside(path, await realOrResolved(resolvedRoot));
    if (named && isInside(real, await realOrResolved(resolvedRoot))) return real;
  }
  return refuse(
    `The repository ${location} lies outside the allowed directories.`,
    location,
    'The setting repo_roots lists the directories; links must not lead out of them.',
  );
}

/**
 * Returns the real path of a file that the metadata of a local repository refer to, judged by where it leads: into the
 * repository or to where its asker may read, which is below the allowed roots, or, where there are none, anywhere,
 * since only people on this machine name local repositories then; links stay in the repository there. Throws `repo.outside`, or `repo.file_missing` (worth
 * another try: a repository is written meanwhile). `repository` is what `checkRepoAccess` returned; what lies below
 * `closed` is read by repositories that lie there, too.
 */
export function resolveRepoFile(
  repository: string,
  href: string,
  { repoRoots, closed }: { readonly repoRoots: readonly string[]; readonly closed: readonly string[] },
): string {
  const path = resolve(repository, href);
  if (leadsInto(path, repository, closed)) throw leadsOut(repository, href);
  if (!mayLeadTo(path, repository, repoRoots)) throw leadsOut(repository, href);
  let real: string;
  try {
    real = realpathSync.native(path);
  } catch (cause) {
    throw new ReactorError('repo.file_missing', `The repository has no file ${href.slice(0, 200)}.`, {
      where: repository,
      fate: 'retry',
      hint: 'It was removed while the repository was read, or the metadata are to be made again.',
      cause,
    });
  }
  // A name below the repository says that the file is there: without roots a link may not say otherwise.
  const isLinkOut = repoRoots.length === 0 && isInside(path, repository) && !isInside(real, repository);
  if (isLinkOut || !mayLeadTo(real, repository, repoRoots)) throw leadsOut(repository, href);
  if (leadsInto(real, repository, closed)) throw leadsOut(repository, href);
  return real;
}

/** Returns whether a path lies below one of these directories, and the repository does not. */
function leadsInto(path: string, repository: string, directories: readonly string[]): boolean {
  if (isInside(path, repository)) return false;
  return directories.some((directory) => {
    const places = [resolve(directory), realRoot(resolve(directory))];
    return (
      places.some((place) => isInside(path, place)) && !places.some((place) => isInside(repository, place))
    );
  });
}

/** Roots are taken both as they are called and as links resolve them. */
function mayLeadTo(path: string, repository: string, repoRoots: readonly string[]): boolean {
  if (repoRoots.length === 0 || isInside(path, repository)) return true;
  return repoRoots.some((root) => isInside(path, resolve(root)) || isInside(path, realRoot(resolve(root))));
}

function realRoot(root: string): string {
  try {
    return realpathSync.native(root);
  } catch {
    return root;
  }
}

function leadsOut(repository: string, href: string): ReactorError {
  return new ReactorError(
    'repo.outside',
    `The metadata refer to ${href.slice(0, 200)}, which is outside the repository and of what may be read.`,
    {
      where: repository,
      hint: 'The setting repo_roots lists the directories; links must not lead out of them.',
    },
  );
}

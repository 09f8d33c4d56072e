import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { ReactorError } from '../model/errors.ts';

/** Which repositories may be read, and for whom. */
export interface RepoPolicy {
  /** Directories that repositories may lie in; empty means any, for clients on this machine. */
  readonly repoRoots: readonly string[];
  /** Hosts that repositories may be fetched from. */
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

/** The path with links resolved as far as it exists. */
async function realOrResolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realOrResolved(parent), basename(path));
  }
}

const loopbackHost = /^(localhost|.*\.localhost|127(\.\d+){3}|::1)$/;

/**
 * Checks that the repository at `location`, an absolute path or an http(s) URL, may be read, and answers it with
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
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!policy.repoHosts.includes(host)) {
    refuse(
      `Repositories of the host ${host} are not allowed.`,
      location,
      'The setting repo_hosts lists the hosts.',
    );
  }
  if (loopbackHost.test(host) && !policy.isLoopbackClient) {
    refuse(
      `Repositories of the host ${host} are open to clients on this machine only.`,
      location,
      'Name the host as other machines do.',
    );
  }
  return location;
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
 * The real path of a file that a repository's metadata refers to. Throws `repo.outside` where `..`, an absolute
 * name or a link leads out of the repository and out of every allowed root, `repo.file_missing` where nothing is
 * there. `repository` is what `checkRepoAccess` answered.
 */
export async function resolveRepoFile(
  repository: string,
  href: string,
  repoRoots: readonly string[],
): Promise<string> {
  const path = resolve(repository, href);
  const leadsOut = (): never => {
    throw new ReactorError(
      'repo.outside',
      `The metadata refers to ${href}, which is outside the repository.`,
      {
        where: repository,
      },
    );
  };
  if (isAbsolute(href) || !isInside(path, repository)) leadsOut();
  let real: string;
  try {
    real = await realpath(path);
  } catch (cause) {
    throw new ReactorError('repo.file_missing', `The repository has no file ${href}.`, {
      where: repository,
      cause,
    });
  }
  const roots = await Promise.all(repoRoots.map((root) => realOrResolved(resolve(root))));
  if (![repository, ...roots].some((root) => isInside(real, root))) leadsOut();
  return real;
}

import { posix } from 'node:path';
import { isPathBelow } from '../../model/names.ts';

/** A file or directory of a git repository that a definition takes from there. */
export interface GitPlace {
  readonly url: string;
  /** A commit, branch or tag. */
  readonly revision: string;
  /** In the repository; empty for all of it. */
  readonly path: string;
}

/** The branch that a repository shows to whoever names none. */
export const defaultRevision = 'HEAD';

const MARK = 'git+';

/**
 * Returns the path by which files of a git repository are read as if they lay beside the definition: its first part names
 * repository and revision, so that `gitPlaceOf` finds them again.
 */
export function pathOfGitPlace({ url, revision, path }: GitPlace): string {
  const top = `${MARK}${encodeURIComponent(url)}@${encodeURIComponent(revision)}`;
  return path === '' ? top : `${top}/${path}`;
}

/** Returns the place in a git repository that a path stands for; null for a path beside the definition. */
export function gitPlaceOf(path: string): GitPlace | null {
  const [, url, revision, , inside = ''] = /^git\+([^@/]+)@([^@/]+)(\/(.*))?$/s.exec(path) ?? [];
  if (url === undefined || revision === undefined) return null;
  return { url: decodeURIComponent(url), revision: decodeURIComponent(revision), path: inside };
}

/** Returns a path of a repository without `./` and slashes around it; null for one that leads out of it. */
export function pathInRepository(path: string): string | null {
  const plain = posix.normalize(path).replace(/^\/+|\/+$/g, '');
  if (plain === '' || plain === '.') return '';
  return isPathBelow(plain) ? plain : null;
}

/** Returns a path as people read it: `comps.xml of https://example.org/comps.git at main`. */
export function describePath(path: string): string {
  const place = gitPlaceOf(path);
  if (place === null) return path;
  return `${place.path === '' ? 'the top' : place.path} of ${place.url} at ${place.revision}`;
}

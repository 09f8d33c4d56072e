import { messageOf, ReactorError } from './errors.ts';
import { targetDirUrlOf, type TargetDirUrls } from './target-dir-urls.ts';

/** The directories of a server that clients must not read of. */
export interface ServerPaths {
  /** Target directories with their public URLs, without a final slash; null for one that has none. */
  readonly targetDirs: readonly { readonly path: string; readonly url: string | null }[];
  /** Other directories; what lies below them is called by its path from there. */
  readonly roots: readonly string[];
}

/** The server paths that the settings stand for, and the top directories of Kojis that are mounted. */
export function serverPathsOf(
  config: {
    readonly data_dir: string;
    readonly target_dir: string;
    readonly extra_target_dirs: Readonly<Record<string, string>>;
    readonly rules_dir: string;
    readonly definitions_dir: string;
  },
  urls: TargetDirUrls,
  kojiTopDirs: readonly string[],
): ServerPaths {
  return {
    targetDirs: [
      { path: config.target_dir, url: urls.default },
      ...Object.entries(config.extra_target_dirs).map(([name, path]) => ({
        path,
        url: targetDirUrlOf(urls, name) ?? null,
      })),
    ],
    roots: [...kojiTopDirs, config.data_dir, config.rules_dir, config.definitions_dir].filter((root) =>
      root.startsWith('/'),
    ),
  };
}

/** How Node ends the message of a file system error: `, link '/from' -> '/to'`. */
const fileSystemPaths = /, [a-z]+ '\/[^']*'(?: -> '[^']*')?/g;
const building = /\.(odcs-\d+)(?:\.[0-9a-f]+)?\.building/g;

/**
 * Returns a text for clients, without paths of the server: those below a target directory that has a URL as that,
 * others by what follows the directory. `named` are places that the client named, which are left as they are.
 */
export function hideServerPaths(text: string, paths: ServerPaths, named: readonly string[] = []): string {
  let shown = text.replace(fileSystemPaths, '');
  for (const { path, url } of paths.targetDirs) shown = replaceRoot(shown, { path, url }, named);
  for (const root of paths.roots) shown = replaceRoot(shown, { path: root, url: null }, named);
  return shown.replace(building, '$1');
}

function replaceRoot(
  text: string,
  { path, url }: { readonly path: string; readonly url: string | null },
  named: readonly string[],
): string {
  const bare = path.replace(/\/+$/, '');
  if (bare === '' || named.some((place) => place === bare || place.startsWith(`${bare}/`))) return text;
  return text.replaceAll(`${bare}/`, url === null ? '' : `${url}/`).replaceAll(bare, url ?? 'its directory');
}

/**
 * Returns an error as clients may read it: one that was foreseen with the same code and fate, without paths of the
 * server in its sentence and hint, and without a place that is a path the client did not name.
 */
export function withoutServerPaths(
  error: unknown,
  paths: ServerPaths,
  named: readonly string[] = [],
): unknown {
  const hide = (text: string): string => hideServerPaths(text, paths, named);
  if (!(error instanceof ReactorError)) return new Error(hide(messageOf(error)), { cause: error });
  const { code, message, fate, hint } = error;
  const where = error.where === undefined ? undefined : hide(error.where);
  const isNamed = where !== undefined && named.some((place) => where.startsWith(place));
  return new ReactorError(code, hide(message), {
    fate,
    cause: error,
    ...(hint === undefined ? {} : { hint: hide(hint) }),
    ...(where === undefined || (where.startsWith('/') && !isNamed) ? {} : { where }),
  });
}

/** The places that a request names itself. */
export function placesOf(request: {
  readonly source: readonly string[];
  readonly lookasideRepos: readonly string[];
}): readonly string[] {
  return [...request.source, ...request.lookasideRepos].filter((place) => place.startsWith('/'));
}

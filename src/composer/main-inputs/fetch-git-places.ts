import { ReactorError } from '../../model/errors.ts';
import { maskUrlSecrets } from '../../model/mask-secrets.ts';
import { readGitPaths, type GitContext } from '../../upstream/git.ts';
import { pathOfGitPlace, type GitPlace } from '../main/git-place.ts';
import type { ConfigFiles } from '../main/load-config.ts';

/** Bytes of all that one definition takes from git repositories. */
const SIZE_LIMIT = 64 << 20;

/** What a definition takes from git repositories. */
export interface FetchedPlaces {
  /** By the paths that `pathOfGitPlace` makes. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  /** Sentences that say of which commits it is. */
  readonly remarks: readonly string[];
}

export const nothingFetched: FetchedPlaces = { contents: new Map(), remarks: [] };

/**
 * Fetches what a definition takes from git repositories. A branch is resolved once: all that is taken of it is of one commit.
 * Throws `main.config_missing` for a place that is not there, `main.config_too_large`, and what git throws. Source: main
 * compose contract 2.
 */
export async function fetchGitPlaces(
  context: GitContext,
  places: readonly GitPlace[],
): Promise<FetchedPlaces> {
  const contents = new Map<string, Uint8Array>();
  const remarks: string[] = [];
  let size = 0;
  for (const { url, revision, paths } of byRevision(places)) {
    const { commit, files } = await readGitPaths(context, { url, revision, paths });
    const shown = maskUrlSecrets(url);
    for (const path of paths) {
      const isThere =
        path === '' || [...files.keys()].some((file) => file === path || file.startsWith(`${path}/`));
      if (isThere) continue;
      throw new ReactorError('main.config_missing', `There is no "${path}" at ${commit} of ${shown}.`, {
        where: shown,
        hint: `It was looked for at "${revision}". Paths are those in the repository; links are not followed.`,
      });
    }
    for (const [path, bytes] of files) {
      size += bytes.byteLength;
      contents.set(pathOfGitPlace({ url, revision, path }), bytes);
    }
    if (size > SIZE_LIMIT) {
      throw new ReactorError(
        'main.config_too_large',
        'The definition takes more than 64 MiB from git repositories.',
        { where: shown, hint: 'Name the files and directories that are needed, not the whole repository.' },
      );
    }
    const what = paths.map((path) => (path === '' ? 'everything' : path)).join(', ');
    remarks.push(`Taken from ${shown} at ${commit}: ${what}.`);
  }
  return { contents, remarks };
}

/** Returns the files of a definition with those that were fetched for it. */
export function withFetched(files: ConfigFiles, { contents }: FetchedPlaces): ConfigFiles {
  if (contents.size === 0) return files;
  return {
    ...files,
    read: (path) => contents.get(path) ?? files.read(path),
    list(directory) {
      const below = [...contents.keys()].filter((path) => path.startsWith(`${directory}/`));
      return below.length === 0
        ? files.list(directory)
        : below.map((path) => path.slice(directory.length + 1));
    },
  };
}

function byRevision(
  places: readonly GitPlace[],
): { readonly url: string; readonly revision: string; readonly paths: readonly string[] }[] {
  const found = new Map<string, { url: string; revision: string; paths: Set<string> }>();
  for (const { url, revision, path } of places) {
    const key = JSON.stringify([url, revision]);
    const entry = found.get(key) ?? { url, revision, paths: new Set() };
    entry.paths.add(path);
    found.set(key, entry);
  }
  return [...found.values()].map((entry) => ({ ...entry, paths: [...entry.paths].sort() }));
}

import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { DatabaseHandle } from '../../database/database-handle.ts';
import { isComposeOpen } from '../../database/open-composes.ts';
import { ReactorError } from '../../model/errors.ts';
import { composeIdOfDirectory } from '../../model/compose.ts';
import { checkRepoAccess, realOrResolved } from '../../upstream/repo-access.ts';

/** Checks that a repository may be read and returns where it is, as `checkRepoAccess` does. */
export type OpenPlace = typeof checkRepoAccess;

/**
 * Returns `checkRepoAccess` that knows which composes of this service not everybody may read: their directories are as
 * absent, for everybody, since what is made of a path would have other readers. Hidden directories of target
 * directories and those of composes that are not known are so, too. Throws what `checkRepoAccess` throws, and what
 * reading a directory that does not exist throws: `repodata.unreadable`.
 */
export function placeOpener({
  kysely,
  targetDirs,
}: {
  /** Null where nothing is published. */
  readonly kysely: DatabaseHandle | null;
  readonly targetDirs: Readonly<Record<string, string>>;
}): OpenPlace {
  return async (location, policy) => {
    const place = await checkRepoAccess(location, policy);
    if (kysely === null || !isAbsolute(place)) return place;
    for (const directory of Object.values(targetDirs)) {
      const root = await realOrResolved(resolve(directory));
      const [first = ''] = relative(root, place).split(sep);
      if (first === '..' || first === '' || isAbsolute(first)) continue;
      const id = composeIdOfDirectory(first);
      const isClosed = id === null ? first.startsWith('.') : !(await isComposeOpen(kysely, id));
      if (isClosed) throw absent(resolve(location));
    }
    return place;
  };
}

/** What is thrown for a directory that does not exist. */
function absent(place: string): ReactorError {
  return new ReactorError(
    'repodata.unreadable',
    `Cannot read repodata/repomd.xml: ENOENT: no such file or directory, realpath '${place}'.`,
    {
      where: join(place, 'repodata/repomd.xml'),
      hint: 'Is this a repository, with repodata/repomd.xml in it?',
    },
  );
}

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ReactorError, messageOf } from '../../model/errors.ts';

/** An RPM found below a directory. */
export interface ListedRpm {
  /** Path below the directory. */
  readonly href: string;
}

/**
 * Every file called `*.rpm` below a directory. Links to files are followed, links to directories are not.
 * Throws `createrepo.directory_unreadable`.
 */
export function listRpms(directory: string): ListedRpm[] {
  const found: ListedRpm[] = [];
  const open = [''];
  for (let below = open.pop(); below !== undefined; below = open.pop()) {
    for (const entry of readDirectory(join(directory, below))) {
      const href = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) open.push(href);
      else if (entry.name.endsWith('.rpm')) {
        if (entry.isFile() || isFileBehind(join(directory, href))) found.push({ href });
      }
    }
  }
  return found;
}

function isFileBehind(link: string): boolean {
  return statSync(link, { throwIfNoEntry: false })?.isFile() === true;
}

function readDirectory(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (cause) {
    throw new ReactorError('createrepo.directory_unreadable', `${messageOf(cause)}.`, { where: path, cause });
  }
}

import { isUtf8 } from 'node:buffer';
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ReactorError, messageOf } from '../../model/errors.ts';

/** An RPM found below a directory. */
export interface ListedRpm {
  /** Path below the directory as metadata have it: one that is no UTF-8 is read as ISO 8859-1, as createrepo_c does. */
  readonly href: string;
  /** The path below the directory where that is no UTF-8. */
  readonly bytes?: Uint8Array;
}

/** A path below a directory: its text, or its bytes where they are no UTF-8. */
type Below = string | Buffer;

const REPLACEMENT = '\ufffd';

/**
 * Returns every file called `*.rpm` below a directory. Links to files are followed, links to directories are not.
 * Throws `createrepo.directory_unreadable`.
 */
export function listRpms(directory: string): ListedRpm[] {
  const found: ListedRpm[] = [];
  const open: Below[] = [''];
  for (let below = open.pop(); below !== undefined; below = open.pop()) {
    for (const { entry, name } of readDirectory(directory, below)) {
      const path = joinBelow(below, name);
      if (entry.isDirectory()) open.push(path);
      else if (name.toString('latin1').endsWith('.rpm')) {
        if (entry.isFile() || isFileBehind(pathBelow(directory, path))) found.push(listed(path));
      }
    }
  }
  return found;
}

/** Returns the path by which a listed RPM is opened. */
export function pathOfRpm(directory: string, { href, bytes }: ListedRpm): string | Buffer {
  return pathBelow(directory, bytes === undefined ? href : Buffer.from(bytes));
}

function listed(path: Below): ListedRpm {
  return typeof path === 'string' ? { href: path } : { href: path.toString('latin1'), bytes: path };
}

function pathBelow(directory: string, below: Below): string | Buffer {
  return typeof below === 'string'
    ? join(directory, below)
    : Buffer.concat([Buffer.from(`${directory}/`), below]);
}

function joinBelow(below: Below, name: Below): Below {
  if (below.length === 0) return name;
  if (typeof below === 'string' && typeof name === 'string') return `${below}/${name}`;
  return Buffer.concat([Buffer.from(below), Buffer.from('/'), Buffer.from(name)]);
}

function isFileBehind(link: string | Buffer): boolean {
  return statSync(link, { throwIfNoEntry: false })?.isFile() === true;
}

interface Entry {
  readonly entry: Pick<Dirent, 'isDirectory' | 'isFile'>;
  readonly name: Below;
}

function readDirectory(directory: string, below: Below): Entry[] {
  const path = pathBelow(directory, below);
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    if (!entries.some(({ name }) => name.includes(REPLACEMENT))) {
      return entries.map((entry) => ({ entry, name: entry.name }));
    }
    // A name that is no UTF-8 cannot be opened by its text.
    return readdirSync(path, { withFileTypes: true, encoding: 'buffer' }).map((entry) => ({
      entry,
      name: isUtf8(entry.name) ? entry.name.toString() : entry.name,
    }));
  } catch (cause) {
    throw new ReactorError('createrepo.directory_unreadable', `${messageOf(cause)}.`, {
      where: path.toString(),
      cause,
    });
  }
}

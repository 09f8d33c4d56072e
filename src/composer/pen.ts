import { closeSync, constants, lstatSync, mkdirSync, openSync, realpathSync, writeFileSync } from 'node:fs';
import { ReactorError } from '../model/errors.ts';
import { isPathBelow } from '../model/names.ts';
import { TextBytes } from '../text-bytes.ts';

/**
 * Writes below one directory and nowhere else: names that lead out of it are refused, and links that lie in it are
 * not followed. Its methods throw `compose.path_outside`.
 */
export class Pen {
  /** The directory, links resolved. */
  readonly root: string;

  /** `root` exists. Throws what resolving it throws. */
  constructor(root: string) {
    this.root = realpathSync(root);
  }

  /** Returns the absolute path of a relative one; nothing needs to lie there. */
  path(relative: string): string {
    return pathBelow(this.root, relative);
  }

  /** Makes a directory and those above it, up to the root; returns its absolute path. */
  makeDirectory(relative: string): string {
    const path = this.path(relative);
    let at = this.root;
    for (const name of relative.split('/')) {
      at = `${at}/${name}`;
      if (lstatSync(at, { throwIfNoEntry: false }) === undefined) mkdirSync(at);
      else if (!lstatSync(at).isDirectory()) throw leadsOut(relative);
    }
    return path;
  }

  /** Writes a new file; the directory it lies in is made where it is missing. */
  writeFile(relative: string, content: string | Uint8Array): void {
    const descriptor = this.#openNew(relative);
    try {
      writeFileSync(descriptor, content);
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * Writes a new file a piece at a time, as `write` hands them over, in UTF-8; returns what that returns. Pieces may be
   * short and many: they are put together. Throws what `write` throws.
   */
  async writePieces<Result>(
    relative: string,
    write: (append: (piece: string) => void) => Promise<Result>,
  ): Promise<Result> {
    const descriptor = this.#openNew(relative);
    const text = new TextBytes((bytes) => writeFileSync(descriptor, bytes));
    try {
      const result = await write((piece) => text.add(piece));
      text.flush();
      return result;
    } finally {
      closeSync(descriptor);
    }
  }

  #openNew(relative: string): number {
    const path = this.path(relative);
    const slash = relative.lastIndexOf('/');
    if (slash > 0) this.makeDirectory(relative.slice(0, slash));
    return openSync(path, NEW_FILE, 0o644);
  }

  /** Throws where a directory that was made has become a link, or lies behind one. */
  checkDirectories(relatives: Iterable<string>): void {
    for (const relative of relatives) {
      const path = this.path(relative);
      if (realpathSync.native(path) !== path) throw leadsOut(relative);
    }
  }
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Returns the path of what lies below a directory, by its name alone. Throws `compose.path_outside`. */
export function pathBelow(directory: string, relative: string): string {
  if (!isPathBelow(relative)) throw leadsOut(relative);
  return `${directory}/${relative}`;
}

/**
 * Returns the real path of a file below a directory. Throws `compose.path_outside` where its name or a link leads
 * out of it, and what `realpath` throws where nothing lies there.
 */
export function realPathBelow(directory: string, relative: string): string {
  const real = realpathSync(pathBelow(directory, relative));
  if (!real.startsWith(`${realpathSync(directory)}/`)) throw leadsOut(relative);
  return real;
}

function leadsOut(relative: string): ReactorError {
  return new ReactorError(
    'compose.path_outside',
    `${JSON.stringify(relative.slice(0, 200))} leads out of the directory of the compose.`,
    { hint: 'A name in the request or in its source is none that a file can have, or a link was put there.' },
  );
}

import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What the files of a directory take on disk, in bytes. */
export interface DirectorySize {
  readonly bytes: number;
  /** Of those whose links all lie in it: what removing it alone would free. */
  readonly own: number;
}

/** What some directories take, in bytes; files that several have count once in sums. */
export interface Sizes {
  readonly of: ReadonlyMap<string, DirectorySize>;
  readonly onDisk: number;
  /** By removing all that are to go: of files all of whose links lie in them. */
  readonly freed: number;
}

/** A file that has several links. */
interface Linked {
  readonly bytes: number;
  /** Links that were not met yet. */
  left: number;
}

/**
 * Reads what directories below a root take: those that are to go, and those that stay. Null where one cannot be read, for
 * this machine may not have them.
 */
export async function sizeDirectories(
  root: string,
  directories: { readonly gone: readonly string[]; readonly kept: readonly string[] },
): Promise<Sizes | null> {
  const of = new Map<string, DirectorySize>();
  const seen = new Map<string, Linked>();
  let onDisk = 0;
  let freed = 0;
  const sizeOne = async (directory: string): Promise<void> => {
    if (of.has(directory)) return;
    let size = 0;
    let own = 0;
    const here = new Map<string, number>();
    for await (const { key, bytes, links } of filesBelow(join(root, directory))) {
      if (links === 1) {
        size += bytes;
        own += bytes;
        onDisk += bytes;
        freed += bytes;
        continue;
      }
      const met = (here.get(key) ?? 0) + 1;
      here.set(key, met);
      if (met === 1) size += bytes;
      if (met === links) own += bytes;
      const known = seen.get(key);
      const linked = known ?? { bytes, left: links };
      if (known === undefined) {
        seen.set(key, linked);
        onDisk += bytes;
      }
      linked.left -= 1;
      if (linked.left === 0) freed += bytes;
    }
    of.set(directory, { bytes: size, own });
  };
  try {
    for (const directory of directories.gone) await sizeOne(directory);
    const freedByThem = freed;
    for (const directory of directories.kept) await sizeOne(directory);
    return { of, onDisk, freed: freedByThem };
  } catch {
    return null;
  }
}

interface FoundFile {
  /** Says which file it is, by whatever name. */
  readonly key: string;
  readonly bytes: number;
  readonly links: number;
}

async function* filesBelow(directory: string): AsyncGenerator<FoundFile> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) yield* filesBelow(join(directory, entry.name));
  const files = entries.filter((entry) => !entry.isDirectory());
  for (let at = 0; at < files.length; at += AT_ONCE) {
    yield* await Promise.all(files.slice(at, at + AT_ONCE).map((entry) => readFile(directory, entry)));
  }
}

const AT_ONCE = 64;

async function readFile(directory: string, { name }: Dirent): Promise<FoundFile> {
  const { dev, ino, nlink, blocks } = await lstat(join(directory, name));
  // Blocks are of 512 bytes, whatever the file system's own are.
  return { key: `${dev} ${ino}`, bytes: blocks * 512, links: nlink };
}

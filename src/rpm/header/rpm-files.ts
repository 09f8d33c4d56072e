import type { RpmHeader } from './rpm-header.ts';
import { Tag } from './tags.ts';

/** A file of a package; the path is bytes as characters. */
export interface RawFile {
  readonly path: string;
  readonly type: 'file' | 'dir' | 'ghost';
}

const GHOST = 1 << 6;
const FORMAT_MASK = 0o170000;
const DIRECTORY = 0o040000;
/** Bytes of all paths together, so that a small header cannot make a large answer. */
const MOST_PATH_BYTES = 256 * 1024 * 1024;

/**
 * The files of a package in the order of the header. A ghost directory is a directory, as createrepo_c has it.
 * Packages from before rpm 4 list whole paths. Files without modes or flags are none, as rpm has it. Throws `rpm.lists_disagree`, `rpm.too_many_entries`.
 */
export function rawFilesOf(header: RpmHeader): RawFile[] {
  const { main } = header;
  const paths = rawPathsOf(header);
  const modes = main.integers(Tag.fileModes);
  const flags = main.integers(Tag.fileFlags);
  for (const [what, list] of Object.entries({ modes, flags })) {
    if (list.length === 0) return [];
    if (list.length !== paths.length) {
      const problem = `The package has ${paths.length} files but ${list.length} ${what}`;
      throw main.problem('rpm.lists_disagree', Tag.fileModes, problem);
    }
  }
  return paths.map((path, index) => ({ path, type: typeOf(modes[index] ?? 0, flags[index] ?? 0) }));
}

function typeOf(mode: number, flags: number): RawFile['type'] {
  if ((mode & FORMAT_MASK) === DIRECTORY) return 'dir';
  return (flags & GHOST) === 0 ? 'file' : 'ghost';
}

function rawPathsOf({ main }: RpmHeader): string[] {
  const baseNames = main.rawStrings(Tag.baseNames);
  if (baseNames.length === 0) return main.rawStrings(Tag.oldFilenames);
  const dirNames = main.rawStrings(Tag.dirNames);
  const dirIndexes = main.integers(Tag.dirIndexes);
  if (dirIndexes.length !== baseNames.length) {
    const what = `The package has ${baseNames.length} files but ${dirIndexes.length} directory indexes`;
    throw main.problem('rpm.lists_disagree', Tag.dirIndexes, what);
  }
  let total = 0;
  return baseNames.map((baseName, index) => {
    const dirName = dirNames[dirIndexes[index] ?? 0];
    if (dirName === undefined) {
      const what = `File ${index} is in a directory that the package does not list`;
      throw main.problem('rpm.lists_disagree', Tag.dirIndexes, what);
    }
    total += dirName.length + baseName.length;
    if (total > MOST_PATH_BYTES) {
      const what = `The paths of the package are longer than ${MOST_PATH_BYTES} bytes`;
      throw main.problem('rpm.too_many_entries', Tag.baseNames, what);
    }
    return dirName + baseName;
  });
}

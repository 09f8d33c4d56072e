import { isPrimaryFile } from '../../rpm/primary-file.ts';
import type { MetadataParts } from '../../rpm/repodata/scan-primary.ts';
import { scanFilelists } from '../../rpm/repodata/scan-filelists.ts';
import { requiredPaths } from './add-packages.ts';
import type { GatherIndex } from './gather-index.ts';
import { isRuntimePath } from './multilib-methods.ts';
import { useIndex } from './use-index.ts';

/** Something that knows the files of the packages of one repository of an index. */
export interface FileSource {
  /** Number of the repository in the index. */
  readonly repository: number;
  /** Returns its filelists.xml in parts, what is wrong with the whole known at its end; null where it has none. */
  readFilelists(): MetadataParts | null;
  readonly where: string;
}

/**
 * Adds to an index what only filelists know: who has the required paths that primary.xml does not list, and which
 * packages the runtime multilib method takes. What a repository without filelists would say stays unknown. Every
 * repository of the index must be among the sources, or have been added from records. Throws what reading and scanning
 * throw.
 */
export async function completeFiles(index: GatherIndex, sources: readonly FileSource[]): Promise<void> {
  return useIndex(index, () => addKnownFiles(index, sources));
}

/** Completes as `completeFiles` does, for who has the index to itself already. */
export async function addKnownFiles(index: GatherIndex, sources: readonly FileSource[]): Promise<void> {
  const required = requiredPaths(index);
  const wanted = new Set(
    required.filter((path) => {
      if (index.answeredPaths.has(path)) return false;
      return !isPrimaryFile(index.strings.get(path)) || index.columns.firstProvide.at(path) < 0;
    }),
  );
  const mayBeWanted = shapesOf(index, wanted);
  for (const source of sources) {
    const parts = source.readFilelists();
    if (parts === null) continue;
    const { strings, columns } = index;
    let owners: number[] = [];
    // Taken in once the whole is known to be right: the index is used again.
    const listed: number[] = [];
    const runtime = new Set<number>();
    const found: { readonly id: number; readonly path: number }[] = [];
    await scanFilelists(parts, source.where, {
      package(pkgid) {
        owners = index
          .packagesByPkgid(pkgid)
          .filter((id) => columns.repository.at(id) === source.repository && !index.isSource(id));
        listed.push(...owners);
        return owners.length > 0;
      },
      file(bytes, from, to) {
        const path = mayBeWanted(bytes, from, to) ? strings.find(bytes, from, to) : -1;
        const isWanted = path >= 0 && wanted.has(path);
        const mayRun = mayBeRuntime(bytes, from);
        if (!isWanted && !mayRun) return;
        for (const id of owners) {
          if (isWanted) found.push({ id, path });
          if (mayRun && !runtime.has(id) && isRuntimePath(bytes.slice(from, to))) runtime.add(id);
        }
      },
    });
    for (const id of listed) {
      const known = columns.hasRuntimeFile.at(id);
      columns.hasRuntimeFile.set(id, runtime.has(id) ? 1 : Math.max(0, known));
    }
    for (const { id, path } of found) index.addProvide(id, path, 0, -1);
  }
  // Of the other paths primary.xml says everything: nothing is left to be asked for any of them.
  for (const path of required) index.answeredPaths.add(path);
}

const SHAPE_BITS = 16;

/** Returns whether a string has the length and the last letters of a wanted one: few of millions of paths have. */
function shapesOf(
  index: GatherIndex,
  wanted: ReadonlySet<number>,
): (bytes: string, from: number, to: number) => boolean {
  const shapes = new Uint8Array(1 << SHAPE_BITS);
  const shapeOf = (bytes: string, from: number, to: number): number => {
    const tail = (bytes.charCodeAt(to - 1) << 8) ^ (bytes.charCodeAt(to - 2) << 3);
    return (tail ^ Math.imul(to - from, 0x9e37)) & (shapes.length - 1);
  };
  for (const path of wanted) {
    const text = index.strings.get(path);
    shapes[shapeOf(text, 0, text.length)] = 1;
  }
  return (bytes, from, to) => shapes[shapeOf(bytes, from, to)] === 1;
}

/** The runtime method's files lie below /usr/lib, /lib and /etc. */
function mayBeRuntime(bytes: string, from: number): boolean {
  return (
    bytes.startsWith('/usr/lib', from) || bytes.startsWith('/lib', from) || bytes.startsWith('/etc/', from)
  );
}

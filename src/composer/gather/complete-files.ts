import { isPrimaryFile } from '../../rpm/primary-file.ts';
import { scanFilelists } from '../../rpm/repodata/scan-filelists.ts';
import { requiredPaths } from './add-packages.ts';
import type { GatherIndex } from './gather-index.ts';
import { isRuntimePath } from './multilib-methods.ts';
import { useIndex } from './use-index.ts';

/** Something that knows the files of the packages of one repository of an index. */
export interface FileSource {
  /** Number of the repository in the index. */
  readonly repository: number;
  /** The content of its filelists.xml; null where it has none. */
  readFilelists(): Promise<Buffer | null>;
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
  for (const source of sources) {
    const content = await source.readFilelists();
    if (content === null) continue;
    const { strings, columns } = index;
    let owners: number[] = [];
    await scanFilelists(content, source.where, {
      package(pkgid) {
        owners = index
          .packagesByPkgid(pkgid)
          .filter((id) => columns.repository.at(id) === source.repository && !index.isSource(id));
        for (const id of owners) columns.hasRuntimeFile.set(id, Math.max(0, columns.hasRuntimeFile.at(id)));
        return owners.length > 0;
      },
      file(bytes, from, to) {
        const path = strings.find(bytes, from, to);
        for (const id of owners) {
          if (path >= 0 && wanted.has(path)) index.addProvide(id, path, 0, -1);
          if (
            columns.hasRuntimeFile.at(id) === 0 &&
            mayBeRuntime(bytes, from) &&
            isRuntimePath(bytes.slice(from, to))
          ) {
            columns.hasRuntimeFile.set(id, 1);
          }
        }
      },
    });
  }
  // Of the other paths primary.xml says everything: nothing is left to be asked for any of them.
  for (const path of required) index.answeredPaths.add(path);
}

/** The runtime method's files lie below /usr/lib, /lib and /etc. */
function mayBeRuntime(bytes: string, from: number): boolean {
  return (
    bytes.startsWith('/usr/lib', from) || bytes.startsWith('/lib', from) || bytes.startsWith('/etc/', from)
  );
}

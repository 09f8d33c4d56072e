import { constants } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** What lies at a published path. A file is open and the caller's to close. */
export type Published =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly file: FileHandle;
      readonly size: number;
      readonly modified: Date;
    }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'missing' };

const missing: Published = { kind: 'missing' };

/**
 * The names in an URL path, decoded; undefined where one of them can name nothing that is published: `..`,
 * hidden work directories, separators and NUL in disguise, bytes that are no UTF-8.
 */
export function publishedNames(urlPath: string): readonly string[] | undefined {
  try {
    const names = urlPath
      .split('/')
      .filter((name) => name !== '')
      .map(decodeURIComponent);
    return names.every(isPublishable) ? names : undefined;
  } catch {
    return undefined;
  }
}

function isPublishable(name: string): boolean {
  return !name.startsWith('.') && !/[/\\\0]/.test(name);
}

/**
 * Opens what is published below `root` at these names. Links are followed only as far as they stay below it and
 * out of hidden directories; only plain files and directories are published.
 */
export async function openPublished(root: string, names: readonly string[]): Promise<Published> {
  let file: FileHandle | undefined;
  try {
    const realRoot = await realpath(root);
    const path = await realpath(join(realRoot, ...names));
    const inside = relative(realRoot, path);
    const isInside = path === realRoot || path.startsWith(realRoot === sep ? sep : `${realRoot}${sep}`);
    if (!isInside || (inside !== '' && !inside.split(sep).every(isPublishable))) return missing;
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const status = await file.stat();
    if (status.isFile()) {
      const opened = file;
      file = undefined;
      return { kind: 'file', path, file: opened, size: status.size, modified: status.mtime };
    }
    return status.isDirectory() ? { kind: 'directory', path } : missing;
  } catch (error) {
    if (isAbsence(error)) return missing;
    throw error;
  } finally {
    await file?.close();
  }
}

const absences = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG', 'ENXIO']);

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && absences.has(String(error.code));
}

import { createHash, type Hash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

const MOST_FILES = 1000;
const MOST_BYTES = 64 * 1024 * 1024;

/** Returns the digest of files by their paths, whatever their order. */
export function digestOfFiles(contents: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash('sha256');
  for (const path of [...contents.keys()].sort()) addFile(hash, path, contents.get(path) ?? new Uint8Array());
  return hash.digest('hex');
}

/**
 * Returns the digest of all files below a directory, as `digestOfFiles` of them would be; null for one that is too large to be
 * read for that, or unreadable.
 */
export async function digestOfDirectory(directory: string): Promise<string | null> {
  try {
    const paths = await readdir(directory, { recursive: true });
    if (paths.length > MOST_FILES) return null;
    const hash = createHash('sha256');
    let size = 0;
    for (const path of paths.sort()) {
      const place = join(directory, path);
      const status = await stat(place);
      if (!status.isFile()) continue;
      size += status.size;
      if (size > MOST_BYTES) return null;
      addFile(hash, path, await readFile(place));
    }
    return hash.digest('hex');
  } catch {
    return null;
  }
}

function addFile(hash: Hash, path: string, bytes: Uint8Array): void {
  hash.update(`${JSON.stringify(path)} ${bytes.byteLength}\n`).update(bytes);
}

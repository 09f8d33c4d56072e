import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MOST_FILES = 1000;
const MOST_BYTES = 64 * 1024 * 1024;

/** Returns the digest of files by their paths, whatever their order. */
export function digestOfFiles(contents: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash('sha256');
  for (const path of [...contents.keys()].sort()) {
    const bytes = contents.get(path) ?? new Uint8Array();
    hash.update(`${JSON.stringify(path)} ${bytes.byteLength}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** Returns the digest of all files below a directory; null for one that is too large to be read for that, or unreadable. */
export function digestOfDirectory(directory: string): string | null {
  try {
    const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' });
    if (paths.length > MOST_FILES) return null;
    const contents = new Map<string, Uint8Array>();
    let size = 0;
    for (const path of paths) {
      const place = join(directory, path);
      const status = statSync(place);
      if (!status.isFile()) continue;
      size += status.size;
      if (size > MOST_BYTES) return null;
      contents.set(path, readFileSync(place));
    }
    return digestOfFiles(contents);
  } catch {
    return null;
  }
}

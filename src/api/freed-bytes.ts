import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Returns how many bytes are freed when some directories below a root are removed: those of files all of whose links
 * lie in them. Null where one cannot be read, for this machine may not have them.
 */
export async function freedBytes(root: string, directories: readonly string[]): Promise<number | null> {
  const seen = new Map<string, { readonly bytes: number; links: number }>();
  let freed = 0;
  const walk = async (directory: string): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        await walk(path);
        continue;
      }
      const { dev, ino, nlink, blocks } = await lstat(path);
      // Blocks are of 512 bytes, whatever the file system's own are.
      const bytes = blocks * 512;
      if (nlink === 1) {
        freed += bytes;
        continue;
      }
      const key = `${dev} ${ino}`;
      const known = seen.get(key) ?? { bytes, links: nlink };
      known.links -= 1;
      if (known.links === 0) freed += bytes;
      seen.set(key, known);
    }
  };
  try {
    for (const directory of new Set(directories)) await walk(join(root, directory));
    return freed;
  } catch {
    return null;
  }
}

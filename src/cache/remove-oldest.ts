import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes the files of a directory that were written longest ago, so that no more than `files` of no more than `bytes`
 * together are left. Returns the bytes freed.
 */
export async function removeOldest(
  directory: string,
  most: { readonly files: number; readonly bytes: number },
): Promise<number> {
  const names = await readdir(directory);
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0 }));
      return { path, time: mtimeMs, size };
    }),
  );
  let kept = 0;
  let bytes = 0;
  let freed = 0;
  for (const { path, size } of files.toSorted((left, right) => right.time - left.time)) {
    kept += 1;
    bytes += size;
    if (kept <= most.files && bytes <= most.bytes) continue;
    await rm(path, { force: true });
    freed += size;
  }
  return freed;
}

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes the files of a directory that were written longest ago, so that `most` are left. */
export async function removeOldest(directory: string, most: number): Promise<void> {
  const names = await readdir(directory);
  if (names.length <= most) return;
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const time = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
      return { path, time };
    }),
  );
  const oldest = files.toSorted((left, right) => left.time - right.time).slice(0, names.length - most);
  await Promise.all(oldest.map(({ path }) => rm(path, { force: true })));
}

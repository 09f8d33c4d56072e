import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathBelow } from '../pen.ts';

/**
 * Writes the files of a configuration into a directory of its own, and the configuration Pungi is started with as
 * `pungi.json`, whose path it returns. Throws `compose.path_outside` and what writing throws.
 */
export async function writeConfiguration(
  directory: string,
  files: ReadonlyMap<string, Uint8Array>,
  config: string,
): Promise<string> {
  for (const [path, bytes] of files) {
    const place = pathBelow(directory, path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, bytes);
  }
  const path = pathBelow(directory, 'pungi.json');
  await writeFile(path, config);
  return path;
}

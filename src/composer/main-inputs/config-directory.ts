import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { ConfigFiles } from '../main/load-config.ts';

/** The files of a directory with a configuration of Pungi, read as they are asked for; what lies outside of it is not there. */
export function configFilesOf(directory: string): ConfigFiles {
  const root = realpathSync(directory);
  const placeOf = (path: string): string | null => {
    try {
      const place = realpathSync(join(root, path));
      return place === root || place.startsWith(root.endsWith(sep) ? root : root + sep) ? place : null;
    } catch {
      return null;
    }
  };
  return {
    prefix: `${directory.replace(/\/+$/, '')}/`,
    read(path) {
      const place = placeOf(path);
      return place !== null && statSync(place).isFile() ? readFileSync(place) : null;
    },
    list(path) {
      const place = placeOf(path);
      if (place === null || !statSync(place).isDirectory()) return null;
      return readdirSync(place, { recursive: true, encoding: 'utf8' })
        .filter((name) => statSync(join(place, name)).isFile())
        .sort();
    },
  };
}

/** The files of a directory at a commit, by their paths below it; `prefix` stands before them in error texts. */
export function configFilesOfTree(prefix: string, contents: ReadonlyMap<string, Uint8Array>): ConfigFiles {
  return {
    prefix,
    read: (path) => contents.get(path) ?? null,
    list(directory) {
      const paths = [...contents.keys()].filter((path) => path.startsWith(`${directory}/`));
      return paths.length === 0 ? null : paths.map((path) => path.slice(directory.length + 1));
    },
  };
}

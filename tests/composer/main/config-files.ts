import type { ConfigFiles } from '../../../src/composer/main/load-config.ts';

/** A configuration directory of these texts. */
export function configFiles(texts: Readonly<Record<string, string>>): ConfigFiles {
  return {
    prefix: 'conf/',
    read: (path) => (Object.hasOwn(texts, path) ? Buffer.from(texts[path] ?? '') : null),
    list(directory) {
      const paths = Object.keys(texts).filter((path) => path.startsWith(`${directory}/`));
      return paths.length === 0 ? null : paths.map((path) => path.slice(directory.length + 1));
    },
  };
}

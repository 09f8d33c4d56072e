import { resolve } from 'node:path';
import { readLockFile } from '../../supply-chain/lock-file.ts';

/**
 * Prints what of `node_modules` the RPM bundles: `paths`, a directory a line, or `provides`, as RPM writes it. What
 * only development or one platform needs is left out.
 */
const { packages } = readLockFile(resolve(import.meta.dirname, '../../package-lock.json'));
const bundled = packages.filter(({ dev, optional }) => dev !== true && optional !== true);
const lines =
  process.argv[2] === 'provides'
    ? bundled.map(({ name, version }) => `Provides:       bundled(npm(${name})) = ${version}`)
    : bundled.flatMap(({ path, name }) => (path === `node_modules/${name}` ? [path] : []));
process.stdout.write(`${[...new Set(lines)].join('\n')}\n`);

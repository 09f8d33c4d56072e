import { hash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the digest of every file below a directory by its path; what a link points to is part of it. */
export function digestsBelow(directory: string): Map<string, string> {
  const digests = new Map<string, string>();
  if (!existsSync(directory)) return digests;
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(directory, name);
    const entry = lstatSync(path);
    digests.set(name, entry.isFile() ? hash('sha256', readFileSync(path), 'hex') : `mode ${entry.mode}`);
  }
  return digests;
}

/** Returns the bytes all files below a directory take, those counted that vanish meanwhile as nothing. */
export function bytesBelow(directory: string): number {
  let total = 0;
  for (const name of existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: 'utf8' })
    : []) {
    const entry = lstatSync(join(directory, name), { throwIfNoEntry: false });
    if (entry?.isFile() === true && entry.nlink === 1) total += entry.size;
  }
  return total;
}

/** Returns the paths that were added, removed or changed. */
export function listChanges(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}

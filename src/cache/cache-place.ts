import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RECIPE } from '../model/fingerprint.ts';

/** What lies in a cache on disk. */
export interface CacheMaking {
  /** Beside those of other caches in the same directory; another one must not begin with it and a hyphen. */
  readonly name: string;
  /** Raised when what lies in its files is written otherwise. */
  readonly format: number;
  /** Whether what lies in it depends on how repodata and records of packages are made. */
  readonly isOfRecipe: boolean;
  /** What its name ends with, for a cache that is a single file. */
  readonly ending?: string;
}

/**
 * Returns where a cache lies in a directory. Format and recipe are in its name, so that nothing is taken that another
 * program would make otherwise: a mended mistake reaches everything.
 */
export function cachePlace(
  directory: string,
  { name, format, isOfRecipe, ending = '' }: CacheMaking,
): string {
  return join(directory, `${name}-${format}${isOfRecipe ? `.${RECIPE}` : ''}${ending}`);
}

/** A process of another version may be at work with its own: what it used within a day is left. */
const UNUSED_FOR = 24 * 60 * 60 * 1000;

/**
 * Removes what other versions of this program made in place of a cache: what is called `name` or `name-…` and was not
 * written to for a day.
 */
export function removeOldFormats(directory: string, making: CacheMaking, now: Date): void {
  const current = cachePlace(directory, making);
  for (const entry of readdirSync(directory)) {
    const path = join(directory, entry);
    if (path === current || (entry !== making.name && !entry.startsWith(`${making.name}-`))) continue;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && now.getTime() - stats.mtimeMs > UNUSED_FOR)
      rmSync(path, { recursive: true, force: true });
  }
}

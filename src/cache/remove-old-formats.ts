import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A process of another version may be at work with its own: what it used within a day is left. */
const UNUSED_FOR = 24 * 60 * 60 * 1000;

/**
 * Removes the caches beside `current` that other versions of this program made: those called `name` or `name-…` that
 * nobody wrote to for a day.
 */
export function removeOldFormats(current: string, name: string, now: Date): void {
  const directory = dirname(current);
  for (const entry of readdirSync(directory)) {
    if (entry === basename(current) || (entry !== name && !entry.startsWith(`${name}-`))) continue;
    const path = join(directory, entry);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && now.getTime() - stats.mtimeMs > UNUSED_FOR)
      rmSync(path, { recursive: true, force: true });
  }
}

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openRepository, type Repository } from './read-repository.ts';

/** A repository of a published compose. */
export interface ComposeRepository {
  /** Path below the compose's directory. */
  readonly path: string;
  readonly repository: Repository;
}

/** Directories that hold no repositories of their own. */
const leaves = new Set(['Packages', 'repodata']);

/** Opens the repositories of a compose in a directory, in the order of their paths; none where it cannot be read. */
export async function openComposeRepositories(
  directory: string,
  signal: AbortSignal,
): Promise<readonly ComposeRepository[]> {
  const found: ComposeRepository[] = [];
  const visit = async (path: string): Promise<void> => {
    const entries = await readdir(join(directory, path), { withFileTypes: true }).catch(() => []);
    if (entries.some(({ name }) => name === 'repodata')) {
      found.push({ path, repository: await openRepository({ signal }, join(directory, path)) });
    }
    for (const entry of entries.toSorted((left, right) => (left.name < right.name ? -1 : 1))) {
      if (entry.isDirectory() && !leaves.has(entry.name)) await visit(`${path}/${entry.name}`);
    }
  };
  await visit('compose');
  return found;
}

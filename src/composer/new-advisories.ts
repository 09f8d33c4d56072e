import { readFile } from 'node:fs/promises';
import { findCompose, findPreviousOfSeries } from '../database/composes.ts';
import type { Compose } from '../model/compose-json.ts';
import { mayHold } from '../model/compose-readers.ts';
import { composeDirectoryName } from '../model/compose.ts';
import { toAnnounced, type AnnouncedAdvisories } from '../model/new-advisories.ts';
import { findNewAdvisories, parseSummaries, type AdvisorySummary } from '../rpm/advisory-summary.ts';
import { ADVISORIES_FILE } from './build/write-advisories.ts';
import type { ComposerContext } from './composer-context.ts';
import { pathBelow } from './pen.ts';
import { isPublished } from './publish.ts';

/**
 * Returns which advisories a compose that has those of `readNow` has that the newest done one before it in its series has not; null where
 * there is none, it is not for all who may read the compose, or what it holds is not known any more.
 */
export async function readNewAdvisories(
  { database, targetDirs }: Pick<ComposerContext, 'database' | 'targetDirs'>,
  compose: Pick<Compose, 'id' | 'series' | 'owner' | 'readers'>,
  readNow: () => Promise<readonly AdvisorySummary[] | null>,
): Promise<AnnouncedAdvisories | null> {
  const { id, series } = compose;
  if (series === null) return null;
  const previousId = await findPreviousOfSeries(database.kysely, series, id);
  const previous = previousId === null ? undefined : await findCompose(database.kysely, previousId);
  const directory = previous === undefined ? undefined : targetDirs[previous.targetDir];
  if (previous === undefined || directory === undefined) return null;
  // Its number and what it lacks are for its readers: a series may have been open to fewer people before.
  if (!mayHold(compose, [previous])) return null;
  const before = await readSummaries(directory, previous);
  if (before === null) return null;
  const now = await readNow();
  return now === null ? null : toAnnounced(findNewAdvisories(before, now), previous.id);
}

/**
 * Returns the advisories of a compose that is published, null where it is not. One without advisories has no such file,
 * but it is there.
 */
export async function readSummaries(
  targetDir: string,
  shown: Pick<Compose, 'id' | 'reusedId'>,
): Promise<readonly AdvisorySummary[] | null> {
  if (!isPublished(targetDir, shown.reusedId ?? shown.id)) return null;
  const path = pathBelow(targetDir, `${composeDirectoryName(shown)}/${ADVISORIES_FILE}`);
  try {
    return parseSummaries(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

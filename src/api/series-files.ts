import { findLastOfSeries } from '../database/composes.ts';
import { findShownAt, listLivingOfSeries } from '../database/series.ts';
import type { DatabaseHandle } from '../database/database-handle.ts';
import type { Compose } from '../model/compose-json.ts';
import { composeDirectoryName } from '../model/compose.ts';
import { parseMoment } from '../model/moment.ts';
import { isName } from '../model/names.ts';
import { ApiProblem } from './problem.ts';
import type { ReadableFiles } from './readable-files.ts';
import { openPublished, type Published } from './published-file.ts';

/** How many composes before the latest are looked through for a file of theirs. */
const MOST_BEFORE = 20;

/** Where the files of series lie. */
export interface SeriesFiles {
  readonly kysely: DatabaseHandle;
  readonly targetDir: string;
  readonly readable: ReadableFiles;
  readonly now: Date;
}

/**
 * Opens a published path below `series/NAME/`: `latest/…` and the `.repo` files as they lie on disk, `at/MOMENT/…` in
 * the compose that was shown then. Undefined where the names are no such path. Throws `series.…` (404, 410) with a
 * sentence where nothing was or is there.
 */
export async function openSeriesFile(
  files: SeriesFiles,
  names: readonly string[],
): Promise<Published | undefined> {
  const [first, series, how, ...rest] = names;
  if (first !== 'series' || series === undefined || !isName('series', series)) return undefined;
  const isHidden = !(await files.readable.mayReadSeries(series));
  if (how === undefined) return isHidden ? { kind: 'missing' } : undefined;
  if (how === 'at') {
    const [moment, ...path] = rest;
    if (moment === undefined) return undefined;
    const compose = await findComposeAt(files, series, moment);
    return openPublished(files.targetDir, [composeDirectoryName(compose), ...path]);
  }
  const found: Published = isHidden ? { kind: 'missing' } : await openPublished(files.targetDir, names);
  if (found.kind !== 'missing' || how !== 'latest') return found;
  if ((await findLastOfSeries(files.kysely, series)) === undefined) {
    throw new ApiProblem(404, 'series.nothing_shown', `The series ${series} has no finished compose.`);
  }
  return isNamedByContent(rest) ? openBefore(files, series, rest) : found;
}

/**
 * Whether a path names the same content for ever, so that who has read the metadata of the compose before may still
 * ask for it: packages, and metadata files with their digest in the name.
 */
function isNamedByContent(names: readonly string[]): boolean {
  const last = names.at(-1) ?? '';
  if (last.endsWith('.rpm')) return names.includes('Packages');
  return names.at(-2) === 'repodata' && /^[0-9a-f]{32,128}-[^/]+$/.test(last);
}

/** Looks for a file in the composes that were shown before the latest, newest first. */
async function openBefore(
  { kysely, targetDir }: SeriesFiles,
  series: string,
  path: readonly string[],
): Promise<Published> {
  const living = await listLivingOfSeries(kysely, series);
  const directories = new Set(
    living.flatMap((compose) => (compose.targetDir === 'default' ? [composeDirectoryName(compose)] : [])),
  );
  for (const directory of [...directories].slice(0, MOST_BEFORE)) {
    const found = await openPublished(targetDir, [directory, ...path]);
    if (found.kind !== 'missing') return found;
  }
  return { kind: 'missing' };
}

/**
 * Returns the compose that a series showed at a moment. Throws `series.moment_invalid` (400), `series.moment_ahead`,
 * `series.nothing_then`, `series.not_served` (404) and `series.removed_since` (410).
 */
export async function findComposeAt(
  { kysely, now }: Pick<SeriesFiles, 'kysely' | 'now'>,
  series: string,
  moment: string,
): Promise<Compose> {
  const at = parseMoment(moment);
  if (at === null) {
    throw new ApiProblem(
      400,
      'series.moment_invalid',
      `${JSON.stringify(moment.slice(0, 100))} is no moment.`,
      {
        hint: 'Write UTC like 2026-11-29T10:00Z, or a day like 2026-11-29.',
      },
    );
  }
  if (at > now) {
    throw new ApiProblem(404, 'series.moment_ahead', `${moment} has not come yet.`, {
      hint: 'What a series shows now is below latest/.',
    });
  }
  const compose = await findShownAt(kysely, series, at);
  if (compose === undefined) {
    throw new ApiProblem(
      404,
      'series.nothing_then',
      `The series ${series} had no finished compose at ${moment}.`,
    );
  }
  if (compose.state !== 'done') {
    const when = compose.timeRemoved === null ? '' : ` at ${compose.timeRemoved.toISOString()}`;
    throw new ApiProblem(
      410,
      'series.removed_since',
      `Compose ${compose.id}, which the series ${series} showed at ${moment}, was removed${when}.`,
      { hint: 'A rule with `keep` lets composes of its series live longer.' },
    );
  }
  if (compose.targetDir !== 'default') {
    throw new ApiProblem(
      404,
      'series.not_served',
      `Compose ${compose.id} lies in the target directory ${compose.targetDir}, which is not served here.`,
    );
  }
  return compose;
}

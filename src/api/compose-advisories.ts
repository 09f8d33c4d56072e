import { findCompose } from '../database/composes.ts';
import type { Compose } from '../model/compose-json.ts';
import type { NewAdvisories } from '../model/new-advisories.ts';
import { findNewAdvisories, parseSummaries, type AdvisorySummary } from '../rpm/advisory-summary.ts';
import { readComposeFile } from './console/compose-contents.ts';
import type { ApiContext } from './context.ts';

export interface ComposeAdvisories {
  readonly advisories: readonly AdvisorySummary[];
  /** The compose they are compared with; null where there is none, or what it holds is not known any more. */
  readonly since: number | null;
  /** Null where there is nothing to compare with. */
  readonly news: NewAdvisories | null;
}

/**
 * Returns the advisories of a compose, and which of them another one did not have; null where its files cannot be
 * read: it is not done, was removed or lies in another target directory.
 */
export async function readComposeAdvisories(
  context: Pick<ApiContext, 'config' | 'database' | 'targetDirUrls'>,
  compose: Compose,
  sinceId: number | null = null,
): Promise<ComposeAdvisories | null> {
  const advisories = await readSummaries(context, compose);
  if (advisories === null) return null;
  const since = sinceId === null ? undefined : await findCompose(context.database.kysely, sinceId);
  const before = since === undefined ? null : await readSummaries(context, since);
  if (since === undefined || before === null) return { advisories, since: null, news: null };
  return { advisories, since: since.id, news: findNewAdvisories(before, advisories) };
}

async function readSummaries(
  context: Pick<ApiContext, 'config' | 'targetDirUrls'>,
  compose: Compose,
): Promise<readonly AdvisorySummary[] | null> {
  const text = await readComposeFile(context, compose, 'logs/global/advisories.json');
  if (text !== null) return parseSummaries(text);
  // A compose without advisories has no such file, but it has all the others.
  const isThere = (await readComposeFile(context, compose, 'STATUS')) !== null;
  return isThere ? [] : null;
}

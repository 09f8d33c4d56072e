import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { lockCompose } from '../database/composes.ts';
import { pruneManifests } from '../database/manifests.ts';
import { transaction } from '../database/transaction.ts';
import { moveCompose } from '../lifecycle/move-compose.ts';
import { errorFields } from '../model/errors.ts';
import type { ComposerContext } from './composer-context.ts';
import { pathBelow } from './pen.ts';
import type { KeptReleases } from '../model/keep.ts';
import { keepReleases } from './keep-releases.ts';
import { keepSeries } from './keep-series.ts';
import { readEntryName, unpublishCompose } from './publish.ts';
import { mendReleaseLinks } from './release-links.ts';
import { mendSeriesLinks } from './series-links.ts';

export type RetireContext = Pick<
  ComposerContext,
  'database' | 'log' | 'storage' | 'targetDirs' | 'targetDirUrls'
>;

const HOUR = 3_600_000;
const MANIFESTS_AT_ONCE = 500;

/**
 * Removes what has expired: the compose becomes `removed`, its directory goes once no living compose shows it.
 * What a series keeps lives on, and the latest of a release as far as `kept` says. Then series and releases are pointed at what they show, and directories go that nobody owns. One failing directory does not stop the rest. Source: ODCS contract 14.
 */
export async function retireComposes(context: RetireContext, kept: KeptReleases = 'latest'): Promise<void> {
  const { kysely, clock } = context.database;
  await keepSeries(context);
  await keepReleases(context, kept);
  const now = await clock.read(kysely);
  const expired = await kysely
    .selectFrom('composes')
    .select('id')
    .where('state', 'in', ['done', 'failed'])
    .where('time_to_expire', '<', now)
    .orderBy('id')
    .execute();
  for (const { id } of expired) await retireCompose(context, id);
  await mendSeriesLinks(context);
  await mendReleaseLinks(context);
  for (const [name, directory] of Object.entries(context.targetDirs)) {
    if (await context.storage.isOurs(name)) await sweepDirectory(context, directory);
  }
  await pruneManifests(kysely, { before: new Date(now.getTime() - HOUR), limit: MANIFESTS_AT_ONCE });
}

/** Marks one compose as removed, unless its life was extended since it was looked up. */
async function retireCompose(context: RetireContext, id: number): Promise<void> {
  const removed = await transaction(context.database, async (tx) => {
    const compose = await lockCompose(tx.sql, id);
    if (compose === undefined || compose.timeToExpire >= tx.now) return undefined;
    const why = compose.removedBy === null ? 'Compose is expired.' : `Removed by ${compose.removedBy}.`;
    return moveCompose(tx, id, 'remove', {
      reason: [compose.stateReason, why].filter((part) => part !== null).join('\n'),
    });
  });
  if (removed !== undefined) context.log.info({ compose: id }, 'compose removed');
}

/** Removes from a directory that is ours the directories of composes that neither live nor are shown by one that does. */
async function sweepDirectory(context: RetireContext, directory: string): Promise<void> {
  // In this order: what is published in between is not listed, and what is listed is known.
  const entries = listEntries(directory);
  const { living, running } = await listShown(context);
  for (const entry of entries) {
    const named = readEntryName(entry);
    if (named === null) continue;
    const { id, hidden } = named;
    if (hidden === 'building' ? running.has(id) : hidden === null && living.has(id)) continue;
    try {
      if (hidden === null) await unpublishCompose(directory, id);
      else await rm(pathBelow(directory, entry), { recursive: true, force: true });
      context.log.info({ compose: id, entry, directory }, 'directory removed');
    } catch (error) {
      context.log.warn(
        { compose: id, entry, directory, ...errorFields(error) },
        'a directory could not be removed',
      );
    }
  }
}

/** What lies in a target directory; nothing where this machine does not have it. */
function listEntries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Ids whose directory is in use, and ids that are being made. */
async function listShown(context: RetireContext): Promise<{ living: Set<number>; running: Set<number> }> {
  const rows = await context.database.kysely
    .selectFrom('composes')
    .select(['id', 'reused_id', 'state'])
    // Of one that failed the logs are read until it expires, where another program wrote some.
    .where('state', 'in', ['wait', 'generating', 'done', 'failed'])
    .execute();
  return {
    living: new Set(rows.map((row) => row.reused_id ?? row.id)),
    running: new Set(
      rows.filter(({ state }) => state === 'wait' || state === 'generating').map((row) => row.id),
    ),
  };
}

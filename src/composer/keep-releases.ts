import {
  extendReleases,
  listExpiringReleases,
  listLinkedComposes,
  type LinkedCompose,
} from '../database/release-links.ts';
import { transaction } from '../database/transaction.ts';
import type { KeptReleases } from '../model/keep.ts';
import type { ComposerContext } from './composer-context.ts';

const HOUR = 3_600_000;
/** A compose that is kept and would expire within an hour lives two hours from now. */
const SOON = HOUR;
const LONGER = 2 * HOUR;

/**
 * Lets the composes live on that links to the latest of a release show, as far as the setting says so; what somebody had
 * removed is not kept. To be called before what has expired is removed. Source: ODCS contract 14.
 */
export async function keepReleases(
  { database, log }: Pick<ComposerContext, 'database' | 'log'>,
  kept: KeptReleases,
): Promise<void> {
  if (kept === 'none') return;
  const now = await database.clock.read(database.kysely);
  for (const targetDir of await listExpiringReleases(database.kysely, new Date(now.getTime() + SOON))) {
    const count = await transaction(database, async (tx) => {
      const ids = releasesToKeep(await listLinkedComposes(tx.sql, targetDir), kept);
      return ids.length === 0 ? 0 : extendReleases(tx.sql, ids, new Date(tx.now.getTime() + LONGER));
    });
    if (count > 0) log.debug({ targetDir, composes: count }, 'composes of releases are kept');
  }
}

/** Returns the ids of the composes that are the latest of a release, with those whose directories they show, in order. */
function releasesToKeep(composes: readonly LinkedCompose[], kept: KeptReleases): number[] {
  const latest = new Map<string, LinkedCompose>();
  for (const compose of composes) {
    latest.set(compose.latestLink, compose);
    if (kept === 'labels' && compose.label !== null) {
      latest.set(`${compose.latestLink}-${compose.label}`, compose);
    }
  }
  const ids = [...latest.values()].flatMap(({ id, reusedId }) => (reusedId === null ? [id] : [id, reusedId]));
  return [...new Set(ids)].sort((left, right) => left - right);
}

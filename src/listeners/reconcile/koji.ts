import { readCursor, writeCursor } from '../../database/reconcile-cursors.ts';
import type { TagHappening } from '../../upstream/koji/hub-events.ts';
import { receiveFound, type FoundChange, type Reconciliation } from './receive-found.ts';

const OVERLAP_MS = 5 * 60_000;
const SETTLE_MS = 30_000;
const SOURCE = 'koji';

/** What is asked of a Koji hub. Times are milliseconds. */
export interface KojiChanges {
  lastEvent(before?: number): Promise<{ readonly id: number; readonly at: number } | null>;
  history(afterEvent: number): Promise<readonly TagHappening[]>;
}

/**
 * Looks through Koji's taggings since the last look, with an overlap of five minutes because events become
 * visible out of order, and puts those no message told into the inbox, each once. The last 30 s are left to the
 * bus and looked at next time. The first look only notes where Koji is. Answers how many were missing. Throws what
 * Koji and the inbox throw. Source: Koji contract 2.1.
 */
export async function reconcileKoji(
  context: Reconciliation & { readonly koji: KojiChanges },
): Promise<number> {
  const { database, koji, now } = context;
  const last = await koji.lastEvent();
  if (last === null) return 0;
  const position = await readCursor(database.handle, SOURCE);
  let found = 0;
  if (position?.event !== undefined) {
    const overlap = await koji.lastEvent(position.at - OVERLAP_MS);
    const happenings = await koji.history(Math.min(position.event, overlap?.id ?? 0));
    for (const one of happenings) {
      if (one.at >= now.getTime() - SETTLE_MS) continue;
      if (await receiveFound(context, changeOf(one))) found++;
    }
  }
  await writeCursor(database.handle, SOURCE, { event: last.id, at: last.at }, now);
  return found;
}

function changeOf(one: TagHappening): FoundChange {
  const { tagName: tag, tagId, buildId, name, version, release, event, at } = one;
  const isTagged = one.kind === 'tagged';
  return {
    kind: isTagged ? 'koji.tag' : 'koji.untag',
    fields: { tag, nvr: `${name}-${version}-${release}` },
    at,
    topic: `buildsys.${isTagged ? 'tag' : 'untag'}`,
    body: { tag, tag_id: tagId, name, version, release, build_id: buildId, koji_event: event },
    messageId: `koji-history:${event}:${one.kind}:${tagId}:${buildId}`,
  };
}

import { readCursor, writeCursor } from '../../database/reconcile-cursors.ts';
import { joinHub, nameOfKoji, type HubName } from '../../model/hub-name.ts';
import type { TagHappening } from '../../upstream/koji/hub-events.ts';
import { receiveFound, type FoundChange, type Reconciliation } from './receive-found.ts';

const OVERLAP_MS = 5 * 60_000;
const SETTLE_MS = 30_000;

/** What is asked of a Koji hub. Times are milliseconds. */
export interface KojiChanges {
  lastEvent(before?: number): Promise<{ readonly id: number; readonly at: number } | null>;
  history(afterEvent: number): Promise<readonly TagHappening[]>;
  /** Who owns a build; null where the hub does not say. */
  ownerOf(buildId: number): Promise<string | null>;
}

/**
 * Looks through Koji's taggings since the last look, with an overlap of five minutes because events become
 * visible out of order, and puts those no message told into the inbox, each once. The last 30 s are left to the
 * bus and looked at next time. The first look only notes where Koji is, and nothing from before it ever comes in.
 * Returns how many were missing. Each hub has a position of
 * its own. Throws what Koji and the inbox throw. Source: Koji contract 2.1.
 */
export async function reconcileKoji(
  context: Reconciliation & { readonly koji: KojiChanges; readonly hub: HubName },
): Promise<number> {
  const { database, koji, hub, now } = context;
  const source = nameOfKoji(hub);
  const last = await koji.lastEvent();
  if (last === null) return 0;
  const position = await readCursor(database.kysely, source);
  if (position?.event === undefined) {
    await writeCursor(database.kysely, source, { event: last.id, at: last.at, first: last.id }, now);
    return 0;
  }
  const { first = 0 } = position;
  let found = 0;
  const overlap = await koji.lastEvent(position.at - OVERLAP_MS);
  const happenings = await koji.history(Math.max(first, Math.min(position.event, overlap?.id ?? 0)));
  for (const happening of happenings) {
    if (happening.at >= now.getTime() - SETTLE_MS) continue;
    if (await receiveFound(context, changeOf(context, happening))) found++;
  }
  await writeCursor(database.kysely, source, { event: last.id, at: last.at, first }, now);
  return found;
}

function changeOf(
  { koji, hub }: { readonly koji: KojiChanges; readonly hub: HubName },
  happening: TagHappening,
): FoundChange {
  const { tagName: tag, tagId, buildId, name, version, release, event, at, user } = happening;
  const isTagged = happening.kind === 'tagged';
  return {
    kind: isTagged ? 'koji.tag' : 'koji.untag',
    // As they are stored; the message itself says the hub by its instance.
    fields: { tag: joinHub(hub, tag), nvr: joinHub(hub, `${name}-${version}-${release}`) },
    at,
    topic: `buildsys.${isTagged ? 'tag' : 'untag'}`,
    body: async () => {
      const owner = await koji.ownerOf(buildId);
      return {
        tag,
        tag_id: tagId,
        name,
        version,
        release,
        build_id: buildId,
        koji_event: event,
        ...(user === null ? {} : { user }),
        ...(owner === null ? {} : { owner }),
      };
    },
    messageId: `koji-history:${joinHub(hub, String(event))}:${happening.kind}:${tagId}:${buildId}`,
  };
}

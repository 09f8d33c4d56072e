import { readCursor, writeCursor } from '../../database/reconcile-cursors.ts';
import type { Bodhi, BodhiUpdate } from '../../upstream/bodhi.ts';
import { receiveFound, type FoundChange, type Reconciliation } from './receive-found.ts';

const OVERLAP_MS = 10 * 60_000;
const SETTLE_MS = 5 * 60_000;
const SOURCE = 'bodhi';

export type BodhiChanges = Pick<Bodhi, 'listPushed'>;

/**
 * Looks through the updates that Bodhi pushed to testing or stable since the last look, with an overlap of ten
 * minutes, and puts pushes no message told into the inbox, each once. The last five minutes are left to the bus,
 * as Bodhi announces a push only when all of it is done. The first look only notes the time. Returns how many were
 * missing. Throws what Bodhi and the inbox throw. Source: messages contract 4.
 */
export async function reconcileBodhi(
  context: Reconciliation & { readonly bodhi: BodhiChanges },
): Promise<number> {
  const { database, bodhi, now } = context;
  const position = await readCursor(database.kysely, SOURCE);
  let found = 0;
  if (position !== undefined) {
    for await (const page of bodhi.listPushed(new Date(position.at - OVERLAP_MS))) {
      for (const update of page) {
        const change = changeOf(update);
        if (change === null || change.at >= now.getTime() - SETTLE_MS) continue;
        if (await receiveFound(context, change)) found++;
      }
    }
  }
  await writeCursor(database.kysely, SOURCE, { at: now.getTime() }, now);
  return found;
}

function changeOf(update: BodhiUpdate): FoundChange | null {
  const { alias, status, type, severity, release, pushedAt: at } = update;
  if (at === null || (status !== 'testing' && status !== 'stable')) return null;
  return {
    kind: 'bodhi.update',
    fields: { alias, phase: 'complete', transition: status },
    at,
    topic: `bodhi.update.complete.${status}`,
    body: () => ({
      update: {
        alias,
        status,
        type,
        severity,
        release: { name: release, dist_tag: update.distTag },
        builds: update.nvrs.map((nvr) => ({ nvr })),
        user: { name: update.user },
        from_tag: update.fromTag,
      },
    }),
    messageId: `bodhi-pushed:${alias}:${status}:${new Date(at).toISOString()}`,
  };
}

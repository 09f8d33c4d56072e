import { readCursor, writeCursor } from '../../database/reconcile-cursors.ts';
import { moduleStates, type Mbs, type ModuleChange } from '../../upstream/mbs.ts';
import { receiveFound, type FoundChange, type Reconciliation } from './receive-found.ts';

const OVERLAP_MS = 5 * 60_000;
const SETTLE_MS = 30_000;
const SOURCE = 'mbs';

/** The states a build rests in; it passes the others, and nobody can tell afterwards that it was there. */
const restingStates = ['done', 'failed', 'ready', 'garbage'] as const;

export type MbsChanges = Pick<Mbs, 'listModifiedBuilds'>;

/**
 * Looks through the module builds that MBS modified since the last look, with an overlap of five minutes, and puts
 * states no message told into the inbox, each once. The last 30 s are left to the bus. The first look only notes
 * the time. Returns how many were missing. Throws what MBS and the inbox throw. Source: messages contract 4.
 */
export async function reconcileMbs(context: Reconciliation & { readonly mbs: MbsChanges }): Promise<number> {
  const { database, mbs, now } = context;
  const position = await readCursor(database.kysely, SOURCE);
  let found = 0;
  if (position !== undefined) {
    for await (const page of mbs.listModifiedBuilds(new Date(position.at - OVERLAP_MS), restingStates)) {
      for (const change of page) {
        if (change.state === 'unknown' || change.modifiedAt >= now.getTime() - SETTLE_MS) continue;
        if (await receiveFound(context, changeOf(change, moduleStates[change.state]))) found++;
      }
    }
  }
  // Whole seconds are what MBS compares.
  await writeCursor(database.kysely, SOURCE, { at: Math.floor(now.getTime() / 1000) * 1000 }, now);
  return found;
}

function changeOf(change: ModuleChange, state: number): FoundChange {
  const { id, name, stream, version, context, owner } = change;
  return {
    kind: 'mbs.module',
    fields: { id, state: change.state },
    at: change.modifiedAt,
    // A message told the state when it was entered; a later modification need not have changed it.
    toldSince: 0,
    topic: 'mbs.module.state.change',
    body: () => ({
      id,
      name,
      stream,
      version,
      context,
      owner,
      state,
      state_name: change.state,
      scratch: change.isScratch,
      koji_tag: change.kojiTag,
    }),
    messageId: `mbs-modified:${id}:${change.state}`,
  };
}

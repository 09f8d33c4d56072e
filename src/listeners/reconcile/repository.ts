import { createHash } from 'node:crypto';
import { readCursor, writeCursor } from '../../database/reconcile-cursors.ts';
import type { CursorPosition } from '../../database/tables.ts';
import { parseRepomd } from '../../rpm/repodata/repomd.ts';
import { receiveFound, type FoundChange, type Reconciliation } from './receive-found.ts';
import { CLOCK_SKEW_MS } from './was-told.ts';

/** What is asked of a repository. */
export interface RepositoryChanges {
  /** Returns the bytes of its `repodata/repomd.xml`. */
  readRepomd(): Promise<Uint8Array>;
}

/** What a look at a repository found. */
interface Seen {
  /** Digest of its repomd.xml. */
  readonly content: string;
  readonly revision: string;
}

/**
 * Looks whether the repomd.xml of a repository, a path or URL, is another one than at the last look, and puts the change
 * into the inbox unless a message told of it since: one that names the repository and its new revision. The first look
 * only notes what is there. Returns how many changes were missing, 0 or 1. Throws what reading throws, and
 * `repodata.malformed` for what is none, which a server in trouble sends: the change is then found by a later look.
 */
export async function reconcileRepository(
  context: Reconciliation & { readonly repository: string; readonly changes: RepositoryChanges },
): Promise<number> {
  const { database, repository, changes, now } = context;
  const source = `repo:${repository}`;
  const bytes = await changes.readRepomd();
  const { revision } = parseRepomd(bytes, repository);
  const seen: Seen = { content: createHash('sha256').update(bytes).digest('hex'), revision };
  const position = await readCursor(database.kysely, source);
  if (position?.content === seen.content) {
    // A message that told of a change counts for the change after the last look only.
    await writeCursor(database.kysely, source, { ...position, at: now.getTime() }, now);
    return 0;
  }
  const event = (position?.event ?? 0) + 1;
  let found = 0;
  if (position !== undefined) {
    const change = changeOf({ repository, seen, at: now, event, before: position });
    if (await receiveFound(context, change)) found = 1;
  }
  await writeCursor(database.kysely, source, { at: now.getTime(), event, ...seen }, now);
  return found;
}

function changeOf({
  repository: repo,
  seen: { content, revision },
  at,
  event,
  before,
}: {
  readonly repository: string;
  readonly seen: Seen;
  readonly at: Date;
  readonly event: number;
  readonly before: CursorPosition;
}): FoundChange {
  const isRevised = revision !== '' && revision !== before.revision;
  return {
    kind: 'repo.changed',
    // No message says the digest: where the revision stayed, none can have told of this change.
    fields: { repo, revision, ...(isRevised ? {} : { content }) },
    at: at.getTime(),
    // One that came before the last look told of what that look saw.
    toldSince: before.at + CLOCK_SKEW_MS,
    topic: 'repo.changed',
    body: () => ({ repo, ...(revision === '' ? {} : { revision }) }),
    // A repository may come back to what it was: the changes are counted.
    messageId: `repomd:${repo}:${event}:${content}`,
  };
}

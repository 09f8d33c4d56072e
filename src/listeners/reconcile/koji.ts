import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { TagHappening } from '../../upstream/koji/hub-events.ts';
import type { Inbox } from '../inbox.ts';

const OVERLAP_MS = 5 * 60_000;
const SETTLE_MS = 30_000;
const CLOCK_SKEW_MS = 60_000;

/** What is asked of a Koji hub. Times are milliseconds. */
export interface KojiChanges {
  lastEvent(before?: number): Promise<{ readonly id: number; readonly at: number } | null>;
  history(afterEvent: number): Promise<readonly TagHappening[]>;
}

export interface KojiReconciliation {
  readonly database: Pick<Database, 'handle'>;
  readonly inbox: Pick<Inbox, 'receive'>;
  readonly koji: KojiChanges;
  readonly now: Date;
  /** Put before `buildsys.tag`: what messages of this Koji begin with. */
  readonly topicPrefix: string;
}

interface Position {
  readonly event: number;
  readonly at: number;
}

const SOURCE = 'koji';

/**
 * Looks through Koji's taggings since the last look, with an overlap of five minutes because events become
 * visible out of order, and puts those no message told into the inbox, each once. The last 30 s are left to the
 * bus and looked at next time. The first look only notes where Koji is. Answers how many were missing.
 */
export async function reconcileKoji(context: KojiReconciliation): Promise<number> {
  const { database, koji, now } = context;
  const last = await koji.lastEvent();
  if (last === null) return 0;
  const row = await database.handle
    .selectFrom('reconcile_cursors')
    .select('position')
    .where('source', '=', SOURCE)
    .executeTakeFirst();
  let found = 0;
  if (row !== undefined) {
    const position = row.position;
    const overlap = await koji.lastEvent(position.at - OVERLAP_MS);
    const happenings = await koji.history(Math.min(position.event, overlap?.id ?? 0));
    found = await receiveMissing(
      context,
      happenings.filter(({ at }) => at < now.getTime() - SETTLE_MS),
    );
  }
  const position: Position = { event: last.id, at: last.at };
  await database.handle
    .insertInto('reconcile_cursors')
    .values({ source: SOURCE, position: JSON.stringify(position), updated_at: now })
    .onConflict((conflict) =>
      conflict.column('source').doUpdateSet({ position: JSON.stringify(position), updated_at: now }),
    )
    .execute();
  return found;
}

async function receiveMissing(
  context: KojiReconciliation,
  happenings: readonly TagHappening[],
): Promise<number> {
  const { database, inbox, topicPrefix } = context;
  let found = 0;
  for (const one of happenings) {
    const kind = one.kind === 'tagged' ? 'koji.tag' : 'koji.untag';
    const nvr = `${one.name}-${one.version}-${one.release}`;
    const told = await database.handle
      .selectFrom('events')
      .select('id')
      .where('kind', '=', kind)
      .where('received_at', '>=', new Date(one.at - CLOCK_SKEW_MS))
      .where(sql<boolean>`event ->> 'tag' = ${one.tagName} and event ->> 'nvr' = ${nvr}`)
      .limit(1)
      .executeTakeFirst();
    if (told !== undefined) continue;
    const body = {
      tag: one.tagName,
      tag_id: one.tagId,
      name: one.name,
      version: one.version,
      release: one.release,
      build_id: one.buildId,
      koji_event: one.event,
    };
    const stored = await inbox.receive({
      bus: 'internal',
      rawTopic: `${topicPrefix}buildsys.${one.kind === 'tagged' ? 'tag' : 'untag'}`,
      headers: {},
      body: Buffer.from(JSON.stringify(body)),
      contentEncoding: null,
      messageId: `koji-history:${one.event}:${one.kind}:${one.tagId}:${one.buildId}`,
      sentAt: new Date(one.at).toISOString(),
      producer: null,
    });
    if (stored.isNew) found++;
  }
  return found;
}

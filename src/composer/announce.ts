import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { messageOf, ReactorError } from '../model/errors.ts';

const AT_ONCE = 100;

/** A message as a bus gets it. */
export interface Announcement {
  readonly messageId: string;
  readonly topic: string;
  readonly body: object;
  readonly sentAt: Date;
  /** The owner of the compose. */
  readonly user: string | null;
}

/** One bus; `publish` answers once the broker has accepted the message. */
export interface AnnouncementPublisher {
  readonly bus: string;
  publish(announcement: Announcement): Promise<void>;
}

export interface AnnounceContext {
  readonly database: Pick<Database, 'handle' | 'jobs'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly publishers: readonly AnnouncementPublisher[];
}

function ownerOf(body: object): string | null {
  const compose = 'compose' in body ? body.compose : null;
  const owner = typeof compose === 'object' && compose !== null && 'owner' in compose ? compose.owner : null;
  return typeof owner === 'string' && owner !== '' ? owner : null;
}

/**
 * Publishes every announcement of the outbox that some bus has not accepted yet, oldest first. A bus that fails
 * is left alone for this round, so that its messages stay in order; the others go on. Throws
 * `announce.not_accepted`, to be tried again, when something is left.
 */
export async function announceComposes(context: AnnounceContext): Promise<void> {
  const { database, clock, publishers, log } = context;
  const failed = new Map<string, string>();
  let last = 0;
  for (;;) {
    const rows = await database.handle
      .selectFrom('announcements')
      .selectAll()
      .where('finished_at', 'is', null)
      .where('id', '>', last)
      .orderBy('id')
      .limit(AT_ONCE)
      .execute();
    if (rows.length === 0) break;
    for (const row of rows) {
      last = row.id;
      const accepted = { ...row.accepted };
      let lastError: string | null = null;
      const wanted = publishers.filter(({ bus }) => row.only_bus === null || row.only_bus === bus);
      for (const publisher of wanted) {
        if (Object.hasOwn(accepted, publisher.bus)) continue;
        lastError = failed.get(publisher.bus) ?? (await publish(publisher, row));
        if (lastError === null) accepted[publisher.bus] = clock.now().toISOString();
        else failed.set(publisher.bus, lastError);
      }
      const isFinished = wanted.every(({ bus }) => Object.hasOwn(accepted, bus));
      await database.handle
        .updateTable('announcements')
        .set({
          accepted: JSON.stringify(accepted),
          attempts: row.attempts + 1,
          finished_at: isFinished ? clock.now() : null,
          last_error: isFinished ? null : [...failed].map(([bus, error]) => `${bus}: ${error}`).join('; '),
        })
        .where('id', '=', row.id)
        .execute();
    }
  }
  for (const [bus, reason] of failed) log.warn({ bus, reason }, 'announcements wait');
  if (failed.size > 0) {
    const buses = [...failed.keys()].join(' and ');
    throw new ReactorError('announce.not_accepted', `Announcements wait for ${buses}.`, { fate: 'retry' });
  }
}

async function publish(
  publisher: AnnouncementPublisher,
  row: {
    readonly message_id: string;
    readonly topic: string;
    readonly body: object;
    readonly created_at: Date;
  },
): Promise<string | null> {
  try {
    await publisher.publish({
      messageId: row.message_id,
      topic: row.topic,
      body: row.body,
      sentAt: row.created_at,
      user: ownerOf(row.body),
    });
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Announces whenever the state of a compose changed, one round at a time, until the queue stops. */
export async function startAnnouncing(context: AnnounceContext): Promise<void> {
  await context.database.jobs.work('announce', {
    concurrency: 1,
    handle: () => announceComposes(context),
    onError: (_name, _data, error) => {
      if (!(error instanceof ReactorError))
        context.log.warn({ error: messageOf(error) }, 'announcing is tried again');
    },
  });
}

import { openPublishers } from '../../buses/open-publishers.ts';
import type { Config } from '../../config.ts';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { publishAnnouncements, type AnnouncingContext } from '../publish-announcements.ts';
import type { RunningRole } from './running-role.ts';

export interface AnnouncerInput {
  readonly config: Config;
  readonly database: Database;
  readonly log: Log;
  readonly targetDirUrl: string;
}

/** How often the outbox is looked at although nobody called: a call may be lost. */
const LOOK_MS = 5_000;

/**
 * Announces what happened to composes and what rules decided, one round at a time in all processes, until stopped.
 * Throws `fedora_messaging.config_invalid`.
 */
export async function startAnnouncer(input: AnnouncerInput): Promise<RunningRole> {
  const publishers = openPublishers(input.config);
  const stopFollowing = await followOutbox({ ...input, publishers });
  return {
    health: () => [],
    async stop() {
      stopFollowing();
      await Promise.all(publishers.map((publisher) => publisher.close()));
    },
  };
}

/** Publishes what the outbox holds whenever it is called, and every few seconds. Returns what ends the looking. */
export async function followOutbox(
  context: AnnouncingContext & { readonly database: Database },
): Promise<() => void> {
  const { database, log } = context;
  await database.jobs.work('announcements.publish', {
    concurrency: 1,
    handle: () => publishAnnouncements(context),
    onError: (_name, _data, error) => {
      if (!(error instanceof ReactorError))
        log.warn({ error: messageOf(error) }, 'announcing is tried again');
    },
  });
  const call = (): void => {
    database.jobs.send('announcements.publish', {}).catch((error: unknown) => {
      log.debug({ error: messageOf(error) }, 'the outbox is looked at later');
    });
  };
  call();
  const timer = setInterval(call, LOOK_MS);
  return () => clearInterval(timer);
}

import { openPublishers } from '../../buses/open-publishers.ts';
import type { Config } from '../../config.ts';
import { findStuck } from '../../database/announced-buses.ts';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { errorFields, messageOf, ReactorError } from '../../model/errors.ts';
import { repositoryPolicy } from '../../upstream/http/fetch-policy.ts';
import { parseHostList } from '../../upstream/http/host-list.ts';
import { postWebhook } from '../../upstream/post-webhook.ts';
import { publishAnnouncements, type AnnouncingContext } from '../publish-announcements.ts';
import type { RunningRole } from './running-role.ts';
import type { TargetDirUrls } from '../../model/target-dir-urls.ts';

export interface AnnouncerInput {
  readonly config: Config;
  readonly database: Database;
  readonly log: Log;
  readonly targetDirUrls: TargetDirUrls;
}

/** How often it is counted what waits in the outbox for long. */
const COUNT_MS = 30_000;

/** How often the outbox is looked at although nobody called: a call may be lost. */
const LOOK_MS = 5_000;

/**
 * Announces what happened to composes and what rules decided, one round at a time in all processes, until stopped.
 * Throws `fedora_messaging.config_invalid`.
 */
export async function startAnnouncer(input: AnnouncerInput): Promise<RunningRole> {
  const publishers = openPublishers(input.config);
  const stopFollowing = await followOutbox({
    ...input,
    publishers,
    privateBuses: input.config.private_buses,
  });
  await tellWebhooks(input);
  const stuck = watchStuck(input);
  return {
    health: stuck.health,
    drain: 'stop',
    async stop() {
      stopFollowing();
      stuck.stop();
      await Promise.all(publishers.map((publisher) => publisher.close()));
    },
  };
}

const WEBHOOKS_AT_ONCE = 4;

/** Posts what webhooks are to hear that people named for their series, as long as the settings allow their hosts. */
export async function tellWebhooks({
  config,
  database,
  log,
}: Pick<AnnouncerInput, 'database' | 'log'> & {
  readonly config: Pick<Config, 'webhook_hosts'>;
}): Promise<void> {
  const policy = repositoryPolicy(parseHostList(config.webhook_hosts));
  await database.jobs.work('series.webhook', {
    concurrency: WEBHOOKS_AT_ONCE,
    handleJob: (call) => postWebhook(call, policy),
    onError: (_name, { url }, error) => {
      log.warn({ ...errorFields(error), host: URL.parse(url)?.host }, 'a webhook was not told of a series');
    },
  });
}

/** Publishes what the outbox holds whenever it is called, and every few seconds. Returns what ends the looking. */
export async function followOutbox(
  context: AnnouncingContext & { readonly database: Database },
): Promise<() => void> {
  const { database, log } = context;
  await database.jobs.work('announcements.publish', {
    concurrency: 1,
    handleJob: () => publishAnnouncements(context),
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

/** Counts regularly what waits in the outbox for long, whichever process ought to publish it. */
function watchStuck({ database, log }: AnnouncerInput): {
  readonly health: RunningRole['health'];
  readonly stop: () => void;
} {
  let stuck: Awaited<ReturnType<typeof findStuck>> = { waiting: 0, reason: null };
  const count = (): void => {
    findStuck(database.kysely, database.clock.now()).then(
      (found) => (stuck = found),
      (error: unknown) => log.debug({ error: messageOf(error) }, 'what waits is counted later'),
    );
  };
  count();
  const timer = setInterval(count, COUNT_MS);
  return {
    health() {
      const { waiting, reason } = stuck;
      const detail =
        waiting === 0
          ? 'Nothing waits for long to be announced.'
          : `${waiting} announcements wait for more than ten minutes: ${reason ?? 'no announcer has their bus now.'}`;
      return [{ name: 'announcements', isWell: waiting === 0, detail }];
    },
    stop: () => clearInterval(timer),
  };
}

import type { Publisher } from '../buses/publisher.ts';
import { finishAnnounced, markHomeless, recordBuses } from '../database/announced-buses.ts';
import {
  acceptAnnouncement,
  listOpenAnnouncements,
  type OpenAnnouncement,
} from '../database/announcements.ts';
import type { Database } from '../database/database.ts';
import { findPrivateRules } from '../database/private-rules.ts';
import { currentTrace, instrument, withTrace } from '../instrument.ts';
import type { Log } from '../log.ts';
import { composeJson, newsOfCompose, reviveCompose, type Compose } from '../model/compose-json.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import type { TargetDirUrls } from '../model/target-dir-urls.ts';

const AT_ONCE = 100;

export interface AnnouncingContext {
  readonly database: Pick<Database, 'kysely' | 'clock'>;
  readonly log: Log;
  readonly publishers: readonly Publisher[];
  /** Public URLs of the target directories. */
  readonly targetDirUrls: TargetDirUrls;
  /** The buses that may carry what is private. */
  readonly privateBuses: readonly string[];
}

/**
 * Publishes every announcement of the outbox that some bus of ours has not accepted yet, oldest first. It is finished
 * once every bus that any announcer has accepted it. A bus that fails is left
 * out for the rest of the round, so that its messages stay in order; the others go on. Only one round may run at a
 * time, in all processes. What is private goes to the buses that may carry it, and is counted as accepted by the others. Throws `announce.not_accepted`, to be tried again, when something is left.
 */
export async function publishAnnouncements(context: AnnouncingContext): Promise<void> {
  const { database, publishers, log } = context;
  const buses = publishers.map(({ bus }) => bus);
  const now = database.clock.now();
  const known = await recordBuses(database.kysely, { buses, now });
  const failed = new Map<string, string>();
  let last = 0;
  while (buses.length > 0) {
    const rows = await listOpenAnnouncements(database.kysely, { afterId: last, limit: AT_ONCE, buses });
    if (rows.length === 0) break;
    for (const row of rows) {
      last = row.id;
      await publishOne(context, row, { failed, known });
    }
  }
  await finishAnnounced(database.kysely, { known, now });
  for (const { bus, waiting } of await markHomeless(database.kysely, { known, now })) {
    log.warn({ bus, waiting }, 'notifications of rules wait for a bus that no announcer has');
  }
  for (const [bus, reason] of failed) log.warn({ bus, reason }, 'announcements wait');
  if (failed.size > 0) {
    const waiting = [...failed.keys()].join(' and ');
    throw new ReactorError('announce.not_accepted', `Announcements wait for ${waiting}.`, { fate: 'retry' });
  }
}

async function publishOne(
  { database, publishers, targetDirUrls, privateBuses }: AnnouncingContext,
  row: OpenAnnouncement,
  { failed, known }: { readonly failed: Map<string, string>; readonly known: readonly string[] },
): Promise<void> {
  const wanted = publishers.filter(({ bus }) => row.only_bus === null || row.only_bus === bus);
  const acceptedNow: string[] = [];
  const isPrivate = await isPrivateAnnouncement(database.kysely, row);
  for (const publisher of wanted) {
    if (Object.hasOwn(row.accepted, publisher.bus)) continue;
    if (isPrivate && !privateBuses.includes(publisher.bus)) {
      acceptedNow.push(publisher.bus);
      continue;
    }
    const error = failed.get(publisher.bus) ?? (await publish(publisher, row, targetDirUrls));
    if (error === null) acceptedNow.push(publisher.bus);
    else failed.set(publisher.bus, error);
  }
  await acceptAnnouncement(database.kysely, {
    id: row.id,
    buses: acceptedNow,
    isFinished: (row.only_bus === null ? known : [row.only_bus]).every(
      (bus) => Object.hasOwn(row.accepted, bus) || acceptedNow.includes(bus),
    ),
    lastError: [...failed].map(([bus, error]) => `${bus}: ${error}`).join('; '),
    now: database.clock.now(),
  });
}

/** What ODCS announces of a compose, and beside it, once it is done, what is new in its series and which images that changes. */
function announcedBody(compose: Compose, targetDirUrls: TargetDirUrls): object {
  const body = { event: 'state-changed', compose: composeJson(compose, targetDirUrls) };
  return compose.state === 'done' ? { ...body, ...newsOfCompose(compose) } : body;
}

/** Returns whether not everybody may read what an announcement says: of a private compose, or of a private rule. */
async function isPrivateAnnouncement(
  kysely: AnnouncingContext['database']['kysely'],
  row: OpenAnnouncement,
): Promise<boolean> {
  if (row.compose !== null) return reviveCompose(row.compose).readers !== null;
  const rule = row.body !== null && 'rule' in row.body ? row.body.rule : undefined;
  return typeof rule === 'string' && (await findPrivateRules(kysely, [rule])).has(rule);
}

/** Returns why the bus did not accept the message, or null where it did. */
async function publish(
  publisher: Publisher,
  row: OpenAnnouncement,
  targetDirUrls: TargetDirUrls,
): Promise<string | null> {
  const compose = row.compose === null ? null : reviveCompose(row.compose);
  const fields = { bus: publisher.bus, topic: row.topic, state: row.state };
  try {
    await withTrace([row.trace], () =>
      instrument('announce', fields, () =>
        publisher.publish({
          messageId: row.message_id,
          topic: row.topic,
          body: compose === null ? (row.body ?? {}) : announcedBody(compose, targetDirUrls),
          sentAt: row.created_at,
          user: compose === null || compose.owner === '' ? null : compose.owner,
          trace: currentTrace(),
        }),
      ),
    );
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

import { createLog } from '../../src/log.ts';
import type { Database } from '../../src/database/database.ts';
import { Inbox, type InboxContext } from '../../src/listeners/inbox.ts';
import {
  parseFedoraMessagingConfig,
  type FedoraMessagingConfig,
} from '../../src/buses/fedora-messaging-config.ts';
import { ReactorError } from '../../src/model/errors.ts';
import type { Supervisor } from '../../src/buses/supervise.ts';
import { defaultLimits } from '../../src/listeners/translate/message-body.ts';

export const silentLog = createLog('silent');

/** An inbox of a test. */
export function openInbox(database: InboxContext['database'], more: Partial<InboxContext> = {}): Inbox {
  return new Inbox({
    database,
    log: silentLog,
    limits: defaultLimits,
    metrics: null,
    needsEnrichment: () => false,
    ...more,
  });
}

/** A fedora-messaging configuration with one durable queue that gets everything. */
export function queueConfig(url: string, queue: string, more = ''): FedoraMessagingConfig {
  const text = `amqp_url = "${url}/?heartbeat=2"
${more}
[queues.${queue}]
durable = true
[[bindings]]
queue = "${queue}"
exchange = "amq.topic"
routing_keys = ["#"]
`;
  return parseFedoraMessagingConfig(text, 'test');
}

/** Waits, without sleeping longer than needed, until `check` answers something; fails after `seconds`. */
export async function until<T>(
  check: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  seconds = 90,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await check();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`Not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Waits until the listener is connected for at least the `count`th time. */
export async function untilConnected(listener: Supervisor, count = 1): Promise<void> {
  await until(() => {
    const health = listener.health();
    return health.state === 'connected' && health.connections >= count;
  }, `connection ${count}`);
}

/** Waits until the broker has refused the listener. Returns how often it was connected before. */
export async function connectionsWhenRefused(listener: Supervisor): Promise<number> {
  const refused = await until(() => {
    const health = listener.health();
    return health.state === 'waiting' && health.reason !== null ? health : undefined;
  }, 'the broker refuses the listener');
  return refused.connections;
}

/** How many rows the inbox holds. */
export async function countEvents(database: Database): Promise<number> {
  const { count } = await database.kysely
    .selectFrom('events')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Whether the inbox holds so many rows; false while a connection from before the database went away is given out. */
export async function hasEvents(database: Database, count: number): Promise<boolean> {
  try {
    return (await countEvents(database)) === count;
  } catch (error) {
    if (error instanceof ReactorError && error.code === 'database.away') return false;
    throw error;
  }
}

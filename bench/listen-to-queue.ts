import { parseFedoraMessagingConfig } from '../src/buses/fedora-messaging-config.ts';
import { listenToFedoraMessaging } from '../src/buses/fedora-messaging-consumer.ts';
import type { Database } from '../src/database/database.ts';
import { Inbox } from '../src/listeners/inbox.ts';
import { defaultLimits } from '../src/listeners/translate/message-body.ts';
import { createLog } from '../src/log.ts';
import type { RabbitmqService } from '../tests/services/rabbitmq.ts';

const log = createLog('warn');

/** Stores what comes into a queue, as the role `listener` does; returns what ends it. */
export function listenToQueue(rabbitmq: RabbitmqService, queue: string, database: Database) {
  const text = `amqp_url = "${rabbitmq.url}"\n[queues.${queue}]\ndurable = true\n`;
  const inbox = new Inbox({
    database,
    log,
    limits: defaultLimits,
    metrics: null,
    needsEnrichment: () => false,
  });
  const config = parseFedoraMessagingConfig(text, 'bench');
  const listener = listenToFedoraMessaging({ config, inbox, log, metrics: null });
  return async (): Promise<void> => {
    await listener.stop();
    await inbox.close();
  };
}

import type { ConfirmChannel } from 'amqplib';
import { openAmqpConnection, orAbort, type AmqpConnection } from './amqp-connection.ts';
import type { FedoraMessagingConfig } from './fedora-messaging-config.ts';
import type { Publisher } from './publisher.ts';

const INFO = 20;
const TIMEOUT_MS = 30_000;

/** JSON in ASCII, as the Python library writes it. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Publishes to RabbitMQ with confirms, connecting when there is something to publish. The headers are those a
 * Python consumer wants: schema, integer severity, `sent-at` in whole seconds, priority, and the user the message
 * is about. Source: messages contract 1.3.
 */
export function createFedoraMessagingPublisher(
  config: Pick<
    FedoraMessagingConfig,
    'amqp_url' | 'tls' | 'client_properties' | 'publish_exchange' | 'topic_prefix' | 'publish_priority'
  >,
): Publisher {
  let open: { readonly connection: AmqpConnection; readonly channel: ConfirmChannel } | null = null;

  async function openChannel(signal: AbortSignal): Promise<ConfirmChannel> {
    if (open !== null) return open.channel;
    const connection = await openAmqpConnection(config, signal);
    const died = connection.ended.then((reason) => Promise.reject(new Error(reason)));
    died.catch(() => undefined);
    const channel = await orAbort(Promise.race([connection.model.createConfirmChannel(), died]), signal);
    const forget = (): void => {
      if (open?.channel === channel) open = null;
      connection.model.close().catch(() => undefined);
    };
    channel.on('error', forget);
    channel.on('close', forget);
    open = { connection, channel };
    return channel;
  }

  return {
    bus: 'fedora-messaging',
    async publish(message) {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const channel = await openChannel(signal);
      const prefix = config.topic_prefix === '' ? '' : `${config.topic_prefix}.`;
      const priority = config.publish_priority ?? 0;
      const headers = {
        fedora_messaging_schema: 'base.message',
        fedora_messaging_severity: INFO,
        'sent-at': `${message.sentAt.toISOString().slice(0, 19)}+00:00`,
        priority,
        ...(message.user === null ? {} : { [`fedora_messaging_user_${message.user}`]: true }),
        ...(message.trace === null ? {} : { traceparent: message.trace }),
      };
      const options = {
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        deliveryMode: 2,
        messageId: message.messageId,
        priority,
        headers,
      };
      const confirmed = new Promise<void>((resolve, reject) => {
        const body = Buffer.from(asciiJson(message.body));
        channel.publish(
          config.publish_exchange,
          `${prefix}${message.topic}`,
          body,
          options,
          (error: unknown) => {
            if (error === null || error === undefined) resolve();
            else reject(error instanceof Error ? error : new Error('The broker refused the message.'));
          },
        );
      });
      await orAbort(confirmed, signal);
    },
    async close() {
      await open?.connection.model.close().catch(() => undefined);
    },
  };
}

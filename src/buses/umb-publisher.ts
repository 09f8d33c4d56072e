import { orAbort } from './amqp-connection.ts';
import type { Publisher } from './publisher.ts';
import { openStompConnection, type StompBroker, type StompConnection } from './stomp-connection.ts';

const TIMEOUT_MS = 30_000;

export interface UmbPublisherOptions {
  readonly urls: readonly string[];
  /** `/topic/VirtualTopic.eng.odcs.state.change` */
  readonly destination: string;
  readonly credentials: Pick<StompBroker, 'certificate' | 'key' | 'ca'>;
}

/**
 * Publishes to UMB, persistent and with receipts, connecting when there is something to publish and to the next
 * broker after a failure. The broker gives ids of its own, so ours is the correlation id.
 */
export function createUmbPublisher({ urls, destination, credentials }: UmbPublisherOptions): Publisher {
  let connection: StompConnection | null = null;
  let attempt = 0;

  async function open(signal: AbortSignal): Promise<StompConnection> {
    if (connection !== null) return connection;
    const url = urls[attempt++ % urls.length] ?? '';
    const broker = { url, ...credentials, heartbeatMs: 10_000, maxBytes: 0 };
    const fresh = await openStompConnection(broker, () => undefined, signal);
    connection = fresh;
    void fresh.ended.then(() => {
      if (connection === fresh) connection = null;
      return undefined;
    });
    return fresh;
  }

  return {
    bus: 'umb',
    async publish(message) {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const own = await open(signal);
      const headers = {
        destination,
        persistent: 'true',
        'content-type': 'text/json',
        'correlation-id': message.messageId,
        odcs_message_id: message.messageId,
        odcs_topic: message.topic,
        ...(message.trace === null ? {} : { traceparent: message.trace }),
      };
      try {
        await orAbort(own.request('SEND', headers, JSON.stringify(message.body)), signal);
      } catch (error) {
        own.destroy();
        throw error;
      }
    },
    async close() {
      connection?.destroy();
    },
  };
}

import type { Channel, ConsumeMessage } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { messageOf } from '../model/errors.ts';
import { openAmqpConnection, orAbort } from './amqp-connection.ts';
import type { FedoraMessagingConfig } from './fedora-messaging-config.ts';
import type { BusMetrics } from './bus-metrics.ts';
import { isoTime } from './message-time.ts';
import { supervise, type Session, type SuperviseOptions, type Supervisor } from './supervise.ts';
import type { MessageSink, ReceivedMessage } from './received-message.ts';

const PREFETCH = 250;
const DRAIN_MS = 5_000;

export interface FedoraMessagingContext {
  readonly config: FedoraMessagingConfig;
  readonly inbox: MessageSink;
  readonly log: Log;
  readonly metrics: BusMetrics | null;
  /** Called after each connection, for messages may have been lost before it. */
  readonly onConnected?: () => void;
  readonly supervision?: Pick<
    SuperviseOptions,
    'firstDelayMs' | 'lastDelayMs' | 'stableMs' | 'connectTimeoutMs'
  >;
}

interface OpenChannel {
  readonly ended: Promise<string>;
  /** Takes nothing more and acknowledges what is being stored. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** A delivery as a message. Every property is optional: bridges leave most of them out. */
function messageOfDelivery(delivery: ConsumeMessage): ReceivedMessage {
  const { headers, contentEncoding, messageId } = delivery.properties;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    bus: 'fedora-messaging',
    rawTopic: delivery.fields.routingKey,
    headers: headers ?? {},
    body: delivery.content,
    contentEncoding: text(contentEncoding),
    messageId: text(messageId),
    sentAt: isoTime(headers?.['sent-at']),
    producer: null,
  };
}

/**
 * Reads every queue of the configuration from RabbitMQ into the inbox until stopped. Each delivery is
 * acknowledged once it is stored, never refused. Whatever ends connection, channel or consumer, another
 * connection is made.
 */
export function listenToFedoraMessaging(context: FedoraMessagingContext): Supervisor {
  const bus = 'fedora-messaging';
  const { metrics, log } = context;
  // As the Python library does: without a queue of its own a listener gets one that dies with it.
  const ownQueue = randomUUID();
  if (Object.keys(context.config.queues).length === 0) {
    log.warn(
      { bus, queue: ownQueue },
      'no queue is configured: messages sent while this process is down are lost',
    );
  }
  return supervise({
    bus,
    log,
    ...context.supervision,
    connect: (signal) => openSession(context, ownQueue, signal),
    onConnected: () => {
      metrics?.connections.inc({ bus });
      metrics?.connected.set({ bus }, 1);
      context.onConnected?.();
    },
    onEnded: () => metrics?.connected.set({ bus }, 0),
  });
}

async function openSession(
  context: FedoraMessagingContext,
  ownQueue: string,
  signal: AbortSignal,
): Promise<Session> {
  const { model, ended: connectionEnded } = await openAmqpConnection(context.config, signal);
  const { inbox } = context;
  const ended = Promise.withResolvers<string>();
  let isOver = false;
  let isPaused = false;
  let current: OpenChannel | null = null;
  const finish = (reason: string): void => {
    if (isOver) return;
    isOver = true;
    ended.resolve(reason);
    model.close().catch(() => undefined);
  };
  void connectionEnded.then(finish);
  const died = connectionEnded.then((reason) => Promise.reject(new Error(reason)));
  died.catch(() => undefined);
  const openChannel = async (): Promise<OpenChannel> => {
    const channel = await Promise.race([model.createChannel(), died]);
    current = await Promise.race([consume(context, channel, ownQueue), died]);
    return current;
  };

  /** One channel after another: it is closed while the database is down, so that no delivery is held. */
  async function keepConsuming(first: OpenChannel): Promise<string> {
    for (let channel = first; ; channel = await openChannel()) {
      const reason = await Promise.race([channel.ended, inbox.untilStalled().then(() => null)]);
      if (reason !== null) return reason;
      isPaused = true;
      await Promise.race([channel.close(), connectionEnded]);
      await Promise.race([inbox.untilReady(), connectionEnded]);
      if (isOver) return 'The connection ended.';
      isPaused = false;
    }
  }

  try {
    const channel = await orAbort(openChannel(), signal);
    keepConsuming(channel).then(finish, (error: unknown) => finish(messageOf(error)));
  } catch (error) {
    finish(messageOf(error));
    throw error;
  }
  return {
    ended: ended.promise,
    isPaused: () => isPaused,
    close: async () => {
      await Promise.race([current?.drain(), connectionEnded, pause(DRAIN_MS, undefined, { ref: false })]);
      finish('The listener is stopped.');
    },
  };
}

async function consume(
  context: FedoraMessagingContext,
  channel: Channel,
  ownQueue: string,
): Promise<OpenChannel> {
  const { config, inbox, metrics } = context;
  const ended = Promise.withResolvers<string>();
  let isOpen = true;
  let held = 0;
  let emptied: PromiseWithResolvers<void> | null = null;
  const consumerTags: string[] = [];
  const finish = (reason: string): void => {
    isOpen = false;
    ended.resolve(reason);
  };
  const keep = async (delivery: ConsumeMessage): Promise<void> => {
    held++;
    try {
      await inbox.receive(messageOfDelivery(delivery));
      // A delivery belongs to its channel: on another one its tag is another message's.
      if (isOpen) channel.ack(delivery);
    } catch (error) {
      finish(messageOf(error));
    } finally {
      held--;
      if (held === 0) emptied?.resolve();
    }
  };
  channel.on('error', (error: unknown) => finish(messageOf(error)));
  channel.on('close', () => finish('The channel was closed.'));
  const queues = await declare(config, channel, ownQueue);
  await channel.prefetch(config.qos.prefetch_count ?? PREFETCH);
  for (const queue of queues) {
    const { consumerTag } = await channel.consume(queue, (delivery) => {
      if (delivery === null) {
        finish(`The broker cancelled the consumer of ${queue}.`);
        return;
      }
      if (delivery.fields.redelivered) metrics?.redelivered.inc({ bus: 'fedora-messaging' });
      void keep(delivery);
    });
    consumerTags.push(consumerTag);
  }
  return {
    ended: ended.promise,
    drain: async () => {
      if (!isOpen) return;
      for (const consumerTag of consumerTags) await channel.cancel(consumerTag).catch(() => undefined);
      emptied = Promise.withResolvers<void>();
      if (held > 0) await emptied.promise;
    },
    close: async () => {
      isOpen = false;
      await channel.close().catch(() => undefined);
    },
  };
}

/** Declares, or only checks, exchanges and queues, and binds; returns the queues to read. */
async function declare(config: FedoraMessagingConfig, channel: Channel, ownQueue: string): Promise<string[]> {
  for (const [name, exchange] of Object.entries(config.exchanges)) {
    if (config.passive_declares) await channel.checkExchange(name);
    else {
      const { type, durable, auto_delete: autoDelete, arguments: more } = exchange;
      await channel.assertExchange(name, type, { durable, autoDelete, arguments: more });
    }
  }
  const queues = Object.entries(config.queues);
  for (const [name, queue] of queues) {
    if (config.passive_declares) await channel.checkQueue(name);
    else {
      const { durable, exclusive, auto_delete: autoDelete, arguments: more } = queue;
      await channel.assertQueue(name, { durable, exclusive, autoDelete, arguments: more });
    }
  }
  if (queues.length === 0) {
    await channel.assertQueue(ownQueue, { durable: false, exclusive: true, autoDelete: true });
  }
  const names = queues.length === 0 ? [ownQueue] : queues.map(([name]) => name);
  for (const binding of config.bindings) {
    for (const queue of binding.queue === undefined ? names : [binding.queue]) {
      for (const key of binding.routing_keys) await channel.bindQueue(queue, binding.exchange, key);
    }
  }
  return names;
}

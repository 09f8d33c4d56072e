import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { messageOf } from '../model/errors.ts';
import { orAbort } from './amqp-connection.ts';
import type { BusMetrics } from './bus-metrics.ts';
import { stompTime } from './message-time.ts';
import {
  openStompConnection,
  type StompBroker,
  type StompConnection,
  type StompMessage,
} from './stomp-connection.ts';
import { supervise, type Session, type SuperviseOptions, type Supervisor } from './supervise.ts';
import type { MessageSink, ReceivedMessage } from './received-message.ts';

const PREFETCH = 250;
const DRAIN_MS = 5_000;

export interface UmbContext {
  /** Tried in turn. */
  readonly urls: readonly string[];
  /** `/queue/Consumer.<name>.<unique>.VirtualTopic.eng.>` */
  readonly destinations: readonly string[];
  readonly credentials: Pick<StompBroker, 'certificate' | 'key' | 'ca'>;
  readonly maxBytes: number;
  readonly heartbeatMs?: number;
  readonly prefetch?: number;
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

/** A STOMP message as a message. `JMSXUserID` is set by the broker, so it is believed. */
function messageOfFrame({ headers, body }: StompMessage): ReceivedMessage {
  return {
    bus: 'umb',
    rawTopic: topicOfStompHeaders(headers),
    headers,
    body,
    contentEncoding: headers['content-encoding'] ?? null,
    messageId: headers['message-id'] ?? null,
    sentAt: stompTime(headers),
    producer: headers['JMSXUserID'] ?? null,
  };
}

/**
 * Reads UMB queues into the inbox until stopped, from whichever broker answers. Each message is acknowledged
 * once it is stored, on the connection it came by, never refused (a NACK puts it in the dead letter queue).
 */
export function listenToUmb(context: UmbContext): Supervisor {
  const bus = 'umb';
  const { metrics } = context;
  let attempt = 0;
  return supervise({
    bus,
    log: context.log,
    ...context.supervision,
    connect: (signal) => openSession(context, context.urls[attempt++ % context.urls.length] ?? '', signal),
    onConnected: () => {
      metrics?.connections.inc({ bus });
      metrics?.connected.set({ bus }, 1);
      context.onConnected?.();
    },
    onEnded: () => metrics?.connected.set({ bus }, 0),
  });
}

async function openSession(context: UmbContext, url: string, signal: AbortSignal): Promise<Session> {
  const { inbox, metrics } = context;
  let connection: StompConnection | null = null;
  // Messages of an earlier subscription went back to the broker: acknowledging them is an error there.
  let round = 0;
  let isPaused = false;
  let isStopping = false;
  let held = 0;
  let emptied: PromiseWithResolvers<void> | null = null;

  async function keep(message: StompMessage): Promise<void> {
    if (isStopping || isPaused) return;
    const ownRound = round;
    held++;
    try {
      if (message.headers['redelivered'] === 'true') metrics?.redelivered.inc({ bus: 'umb' });
      await inbox.receive(messageOfFrame(message));
      if (ownRound === round) connection?.send('ACK', acknowledgementOf(message));
    } catch (error) {
      context.log.warn({ bus: 'umb', reason: messageOf(error) }, 'message was not stored');
      connection?.destroy();
    } finally {
      held--;
      if (held === 0) emptied?.resolve();
    }
  }

  const { credentials, maxBytes, heartbeatMs = 10_000 } = context;
  const broker = { url, ...credentials, maxBytes, heartbeatMs };
  const open = await openStompConnection(broker, (message) => void keep(message), signal);
  connection = open;

  async function subscribe(): Promise<void> {
    round++;
    isPaused = false;
    for (const [index, destination] of context.destinations.entries()) {
      await open.request('SUBSCRIBE', {
        destination,
        id: `${round}-${index}`,
        ack: 'client-individual',
        'activemq.prefetchSize': String(context.prefetch ?? PREFETCH),
      });
    }
  }

  async function pauseWhileStalled(): Promise<void> {
    for (;;) {
      const isEnd = await Promise.race([inbox.untilStalled().then(() => false), open.ended.then(() => true)]);
      if (isEnd) return;
      isPaused = true;
      const stopped = round++;
      for (const index of context.destinations.keys())
        open.send('UNSUBSCRIBE', { id: `${stopped}-${index}` });
      await Promise.race([inbox.untilReady(), open.ended]);
      await subscribe();
    }
  }

  try {
    await orAbort(subscribe(), signal);
  } catch (error) {
    open.destroy();
    throw error;
  }
  pauseWhileStalled().catch(() => open.destroy());
  return {
    ended: open.ended,
    isPaused: () => isPaused,
    close: async () => {
      isStopping = true;
      emptied = Promise.withResolvers<void>();
      const drained = held === 0 ? Promise.resolve() : emptied.promise;
      const said = drained.then(() => open.request('DISCONNECT', {}));
      await Promise.race([said, open.ended, pause(DRAIN_MS, undefined, { ref: false })]).catch(
        () => undefined,
      );
      open.destroy();
    },
  };
}

/** STOMP 1.2 names the acknowledgement, 1.1 the message and its subscription. */
function acknowledgementOf({ headers }: StompMessage): Record<string, string> {
  const { ack, subscription = '' } = headers;
  return ack === undefined ? { 'message-id': headers['message-id'] ?? '', subscription } : { id: ack };
}

/** Returns the topic of a STOMP message: the first header that names it. Source: messages contract 2.1. */
function topicOfStompHeaders(headers: Readonly<Record<string, string>>): string {
  for (const name of ['original-destination', 'amq6100_originalDestination', 'destination']) {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (value !== undefined && value !== '') return value;
  }
  return '';
}

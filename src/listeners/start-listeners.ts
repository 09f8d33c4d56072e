import type { Registry } from 'prom-client';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { ReactorError } from '../model/errors.ts';
import type { DomainEvent } from '../model/event.ts';
import { umbCredentials } from '../buses/umb-credentials.ts';
import { readFedoraMessagingConfig } from '../buses/fedora-messaging-config.ts';
import { listenToFedoraMessaging } from '../buses/fedora-messaging-consumer.ts';
import { Inbox, type Stored } from './inbox.ts';
import { createListenerMetrics } from './metrics.ts';
import type { Supervisor } from '../buses/supervise.ts';
import { defaultLimits } from './translate/message-body.ts';
import { listenToUmb } from '../buses/umb-consumer.ts';
import { admitWebhook, readWebhookMessage, type WebhookCall } from './webhook.ts';

/** How long the caller of the webhook waits at most. */
const CALL_MS = 10_000;

export interface ListenersInput {
  readonly config: Config;
  readonly database: Database;
  readonly log: Log;
  readonly registry: Registry;
  /** Whether an event must be enriched before rules see it. */
  readonly needsEnrichment?: (event: DomainEvent) => boolean;
  /** Called after each connection to a bus. */
  readonly onConnected?: () => void;
}

/** The ways messages come into this process. */
export interface RunningListeners extends AsyncDisposable {
  readonly inbox: Inbox;
  /** Stores what the webhook was called with. Throws `event.unauthorized`, `event.invalid`, `event.not_stored`. */
  receiveCall(call: WebhookCall): Promise<Stored>;
  /** How the inbox and each bus are, one sentence each. */
  health(): { readonly name: string; readonly isWell: boolean; readonly detail: string }[];
  /** Listens to the buses no more; what the webhook is called with is still stored. */
  stopListening(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Opens the inbox and, with the role `listener`, listens to the buses the settings name. Throws
 * `fedora_messaging.config_invalid`.
 */
export function startListeners(input: ListenersInput): RunningListeners {
  const { config, database, log } = input;
  const metrics = createListenerMetrics(input.registry);
  const limits = { ...defaultLimits, maxBytes: config.event_max_bytes };
  const needsEnrichment = input.needsEnrichment ?? (() => false);
  const isWarming = config.koji_profile !== '';
  const hubs = new Set(Object.keys(config.koji_hubs));
  const inbox = new Inbox({
    database,
    log,
    limits,
    metrics,
    needsEnrichment,
    isWarming,
    hubs,
    embargoTags: config.embargo.tags,
  });
  const shared = {
    inbox,
    log,
    metrics,
    ...(input.onConnected === undefined ? {} : { onConnected: input.onConnected }),
  };
  const listeners: Supervisor[] = [];
  if (config.roles.includes('listener')) {
    if (config.fedora_messaging_config !== '') {
      const file = readFedoraMessagingConfig(config.fedora_messaging_config);
      listeners.push(listenToFedoraMessaging({ ...shared, config: file }));
    }
    if (config.umb_urls.length > 0 && config.umb_destinations.length > 0) {
      const { umb_urls: urls, umb_destinations: destinations } = config;
      const credentials = umbCredentials(config);
      listeners.push(
        listenToUmb({ ...shared, urls, destinations, credentials, maxBytes: config.event_max_bytes }),
      );
    }
  }
  const stopListening = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.stop()));
  };
  const stop = async (): Promise<void> => {
    await stopListening();
    await inbox.close();
  };
  return {
    inbox,
    receiveCall: async (call) => {
      admitWebhook(call, config.event_token);
      return storeSoon(inbox.receive(readWebhookMessage(call.bytes)));
    },
    health: () => [inboxHealth(inbox), ...listeners.map(busHealth)],
    stopListening,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Waits for a message to be stored; a caller is not kept waiting for a database that is away. */
async function storeSoon(stored: Promise<Stored>): Promise<Stored> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new ReactorError('event.not_stored', 'The event could not be stored in time.', {
          hint: 'Send it again in a minute; it may be stored then already.',
          fate: 'retry',
        }),
      );
    }, CALL_MS);
  });
  stored.catch(() => undefined);
  return Promise.race([stored, late]).finally(() => clearTimeout(timer));
}

function inboxHealth(inbox: Inbox) {
  const { state, reason, waiting } = inbox.health();
  const detail =
    state === 'stalled'
      ? `Messages cannot be stored: ${reason ?? ''}`
      : `${waiting} messages are being stored.`;
  return { name: 'inbox', isWell: state !== 'stalled', detail };
}

function busHealth(listener: Supervisor) {
  const { bus, state, reason, connections, nextAttemptAt } = listener.health();
  const isWell = state === 'connected';
  const why = state === 'paused' ? 'messages cannot be stored' : (reason ?? '');
  const next = nextAttemptAt === null ? '' : `; next attempt ${nextAttemptAt}`;
  return { name: bus, isWell, detail: isWell ? `Connected (${connections}).` : `${state}: ${why}${next}` };
}

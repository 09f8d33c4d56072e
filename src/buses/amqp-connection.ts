import type { ChannelModel } from 'amqplib';
import { readFileSync } from 'node:fs';
import type { FedoraMessagingConfig } from './fedora-messaging-config.ts';
import { ReactorError, messageOf } from '../model/errors.ts';

const HEARTBEAT_SECONDS = 20;

/** An AMQP connection and its end: nothing that happens to it goes unheard. */
export interface AmqpConnection {
  readonly model: ChannelModel;
  /** Settles when the connection has ended; resolves to why. */
  readonly ended: Promise<string>;
}

/**
 * The URL amqplib gets. The Python library's retry knobs are for its own connection loop and are taken off. The
 * heartbeat (20 s where none is asked for: the server's 60 s notice a dead peer after three minutes) is two
 * thirds of what is asked, for amqplib gives up after two to three of them and two is what is promised.
 */
export function amqpUrl(url: string): string {
  const parsed = new URL(url.replace(/^(amqps?:\/\/)(?=[?/]|$)/, '$1localhost'));
  for (const knob of ['connection_attempts', 'retry_delay', 'socket_timeout', 'blocked_connection_timeout']) {
    parsed.searchParams.delete(knob);
  }
  const asked = Number(parsed.searchParams.get('heartbeat') ?? HEARTBEAT_SECONDS);
  const heartbeat = asked > 0 ? Math.max(1, Math.floor((asked * 2) / 3)) : 0;
  parsed.searchParams.set('heartbeat', String(heartbeat));
  return parsed.href;
}

/** Key, certificates and SASL EXTERNAL where the file names a client certificate. Source: messages contract 1.1. */
function tlsOptions(
  tls: FedoraMessagingConfig['tls'],
  { external }: (typeof import('amqplib'))['credentials'],
): object {
  const read = (file: string | undefined): Buffer | undefined => {
    if (file === undefined || file === '') return undefined;
    try {
      return readFileSync(file);
    } catch (error) {
      throw new ReactorError(
        'fedora_messaging.certificate_unreadable',
        `A certificate cannot be read: ${messageOf(error)}`,
        {
          where: file,
          fate: 'retry',
          cause: error,
        },
      );
    }
  };
  const [ca, cert, key] = [read(tls.ca_cert), read(tls.certfile), read(tls.keyfile)];
  return {
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined ? {} : { cert, credentials: external() }),
    ...(key === undefined ? {} : { key }),
  };
}

/**
 * Connects to RabbitMQ as the file says. Certificates are read anew each time, for they are renewed. A
 * connection that comes after the signal aborted is closed.
 */
export async function openAmqpConnection(
  config: Pick<FedoraMessagingConfig, 'amqp_url' | 'tls' | 'client_properties'>,
  signal: AbortSignal,
): Promise<AmqpConnection> {
  signal.throwIfAborted();
  // Only where a bus is configured is the library read.
  const { connect, credentials } = await import('amqplib');
  signal.throwIfAborted();
  const url = amqpUrl(config.amqp_url);
  const options = {
    ...tlsOptions(config.tls, credentials),
    servername: new URL(url).hostname,
    timeout: 15_000,
    clientProperties: { app: 'odcs-reactor', ...config.client_properties },
  };
  const opening = connect(url, options);
  let model: ChannelModel;
  try {
    model = await orAbort(opening, signal);
  } catch (error) {
    void closeLate(opening);
    throw error;
  }
  const ended = new Promise<string>((resolve) => {
    model.on('error', (error: unknown) => resolve(messageOf(error)));
    model.on('close', () => resolve('The connection was closed.'));
  });
  return { model, ended };
}

async function closeLate(opening: Promise<ChannelModel>): Promise<void> {
  try {
    const model = await opening;
    model.on('error', () => undefined);
    await model.close();
  } catch {
    // It never came, or is gone already: both are what is wanted.
  }
}

/** What the promise answers, or the reason of the signal, whichever is first. */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

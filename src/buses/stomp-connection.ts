import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Client, CommandHandler, FrameHeaders, IncomingFrame } from 'stompit';
import { ReactorError, messageOf } from '../model/errors.ts';
import { orAbort } from './amqp-connection.ts';

export interface StompBroker {
  /** `stomp+ssl://host:61612` or `stomp://host:61613`. */
  readonly url: string;
  /** PEM files; empty for none. They are read anew at each connection. */
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  readonly heartbeatMs: number;
  /** Bytes of a body that are kept; of a larger one, one more, so that it shows. */
  readonly maxBytes: number;
}

export interface StompMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** One STOMP connection, from CONNECTED to its end. */
export interface StompConnection {
  /** Settles when the connection has ended, whatever ended it; resolves to why. */
  readonly ended: Promise<string>;
  /** Sends a frame; lost without a word if the connection ends. */
  send(command: string, headers: FrameHeaders, body?: string): void;
  /** Sends a frame and resolves once the broker says it has it. Rejects when the connection ends before. */
  request(command: string, headers: FrameHeaders, body?: string): Promise<void>;
  destroy(): void;
}

const MOST_ERROR_TEXT = 4096;

function readPem(file: string): Buffer | undefined {
  if (file === '') return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ReactorError(
      'umb.certificate_unreadable',
      `A certificate cannot be read: ${messageOf(error)}`,
      {
        where: file,
        fate: 'retry',
        cause: error,
      },
    );
  }
}

function optionsOf(broker: StompBroker) {
  const url = new URL(broker.url);
  const isTls = url.protocol === 'stomp+ssl:' || url.protocol === 'stomps:';
  const [ca, cert, key] = [readPem(broker.ca), readPem(broker.certificate), readPem(broker.key)];
  const beat = broker.heartbeatMs;
  const login =
    url.username === ''
      ? {}
      : { login: decodeURIComponent(url.username), passcode: decodeURIComponent(url.password) };
  return {
    host: url.hostname,
    port: Number(url.port === '' ? (isTls ? 61612 : 61613) : url.port),
    timeout: 15_000,
    ...(isTls
      ? {
          ssl: true,
          ...(isIP(url.hostname) === 0 ? { servername: url.hostname } : {}),
          ...pemOptions(ca, cert, key),
        }
      : {}),
    // The broker beats twice in ours, and the check allows for 0.4 of it: silence shows within two of ours.
    connectHeaders: {
      ...login,
      'accept-version': '1.1,1.2',
      'heart-beat': `${beat},${Math.floor(beat / 2)}`,
    },
    heartbeatDelayMargin: Math.floor(beat * 0.4),
    heartbeatOutputMargin: Math.floor(beat * 0.3),
    maxLineLength: 65_536,
    maxHeaders: 1_000,
  };
}

function pemOptions(ca: Buffer | undefined, cert: Buffer | undefined, key: Buffer | undefined) {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** Reads a body to its end at once, for an unread one stops heart-beats; keeps no more than `most` bytes. */
function readBody(frame: IncomingFrame, most: number, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  frame.on('data', (chunk: Buffer) => {
    if (size < most) chunks.push(chunk.subarray(0, most - size));
    size += chunk.length;
  });
  frame.on('error', () => undefined);
  frame.on('end', () => done(Buffer.concat(chunks)));
}

function textHeaders(headers: Readonly<FrameHeaders>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/**
 * Connects to a STOMP broker and resolves once it said CONNECTED. stompit frames and parses; what it gets wrong
 * is done here: ERROR, RECEIPT and MESSAGE frames are handled by own handlers, what its parser throws ends the
 * connection instead of the process, receipts are rejected when the connection ends. Source: brokers, stompit.
 */
export async function openStompConnection(
  broker: StompBroker,
  onMessage: (message: StompMessage) => void,
  signal: AbortSignal,
): Promise<StompConnection> {
  signal.throwIfAborted();
  // Read by those who have such a bus only.
  const { default: stompit } = await import('stompit');
  signal.throwIfAborted();
  const receipts = new Map<string, PromiseWithResolvers<void>>();
  const ended = Promise.withResolvers<string>();
  const connected = Promise.withResolvers<void>();
  let client: Client;
  let lastReceipt = 0;
  let isOver = false;

  const finish = (reason: string): void => {
    if (isOver) return;
    isOver = true;
    ended.resolve(reason);
    const error = new Error(reason);
    connected.reject(error);
    for (const receipt of receipts.values()) receipt.reject(error);
    receipts.clear();
    client.destroy();
  };
  const handlers: Record<string, CommandHandler> = {
    MESSAGE: (frame) => {
      const headers = textHeaders(frame.headers);
      readBody(frame, broker.maxBytes + 1, (body) => {
        if (!isOver) onMessage({ headers, body });
      });
    },
    RECEIPT: (frame) => {
      const id = String(frame.headers['receipt-id'] ?? '');
      readBody(frame, 0, () => {
        receipts.get(id)?.resolve();
        receipts.delete(id);
      });
    },
    ERROR: (frame) => {
      const headline = String(frame.headers['message'] ?? 'The broker sent an ERROR frame.');
      readBody(frame, MOST_ERROR_TEXT, (body) => {
        const [line = ''] = body.toString('utf8').trim().split('\n', 1);
        finish(line === '' || line === headline ? headline : `${headline}: ${line}`);
      });
    },
  };

  client = stompit.connect(optionsOf(broker), (error) => {
    if (error === null) connected.resolve();
    else finish(messageOf(error));
  });
  client.on('error', (error: unknown) => finish(messageOf(error)));
  client.on('end', () => finish('The connection ended.'));
  guardParser(client, finish);
  const setHandlers = client.setCommandHandlers.bind(client);
  client.setCommandHandlers = (given) => setHandlers({ ...given, ...handlers });
  connected.promise.catch(() => undefined);
  try {
    await orAbort(connected.promise, signal);
  } catch (error) {
    finish(messageOf(error));
    throw error;
  }

  const send = (command: string, headers: FrameHeaders, body?: string): void => {
    if (isOver) return;
    // A fresh object: stompit writes into the one it gets.
    const frame = client.sendFrame(command, { ...headers });
    if (body === undefined) frame.end();
    else frame.end(body);
  };
  return {
    ended: ended.promise,
    send,
    request: async (command, headers, body) => {
      if (isOver) throw new Error(await ended.promise);
      const receipt = String(++lastReceipt);
      const answer = Promise.withResolvers<void>();
      receipts.set(receipt, answer);
      send(command, { ...headers, receipt }, body);
      return answer.promise;
    },
    destroy: () => finish('The listener is stopped.'),
  };
}

/**
 * A header called `hasOwnProperty` replaces the method the parser asks, which then throws where nobody catches:
 * such a header is passed over. Whatever else it throws ends the connection instead of the process.
 */
function guardParser(client: Client, finish: (reason: string) => void): void {
  const parser = client['_incoming'];
  let headers: object = {};
  Object.defineProperty(parser, '_headers', {
    get: () => headers,
    set: (fresh: object) => {
      headers = Object.defineProperty(fresh, 'hasOwnProperty', { value: Object.prototype.hasOwnProperty });
    },
  });
  const parse = parser['_continueTransform'].bind(parser);
  parser['_continueTransform'] = () => {
    try {
      parse();
    } catch (error) {
      finish(`The broker sent a frame that cannot be read: ${messageOf(error)}`);
    }
  };
}

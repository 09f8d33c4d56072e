import {
  Agent as HttpAgent,
  request as requestHttp,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { XmlRpcReader, type XmlRpcAnswer, type XmlRpcRows } from './xml-rpc-read.ts';
import { XmlRpcSizeError, XmlRpcSyntaxError } from './xml-rpc-text.ts';

/**
 * How the hub is reached: with Node's own client and not with `HttpClient`, since a call is repeated only where its
 * connection had been used before (a stale one, told by `reusedSocket`, which undici does not say), and an answer is
 * parsed while it comes. Redirects are not followed.
 */
export interface HubTransport {
  readonly url: URL;
  readonly agent: HttpAgent | HttpsAgent;
  /** PEM of the authorities a hub's certificate may come from; the system's own where absent. */
  readonly authorities?: string;
  /** PEM of a client certificate and its key. */
  readonly certificate?: string;
  /** A connection silent for so many milliseconds is given up. The hub is silent while it works. */
  readonly silenceMs: number;
  readonly userAgent: string;
  /** Sent with every call beside the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One exchange. `isFresh` asks for a connection of its own. */
export interface Exchange {
  readonly method: string;
  readonly body: string;
  readonly rows: XmlRpcRows | undefined;
  readonly isFresh: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A connection that the other side closed while it lay idle: not an outage, worth one more try at once. */
export class StaleConnectionError extends Error {
  override readonly name = 'StaleConnectionError';
}

const MAX_ERROR_BODY = 2000;

/** An agent that keeps connections for the URL's scheme. */
export function makeAgent(url: URL, maxSockets: number): HttpAgent | HttpsAgent {
  const options = { keepAlive: true, maxSockets };
  return url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
}

/**
 * Posts one call and reads the answer as it arrives. Throws `koji.hub_unreachable`, `koji.hub_silent`,
 * `koji.hub_unavailable` (5xx, 408, 429), `koji.hub_refused` (other statuses), `koji.answer_cut`,
 * `koji.answer_malformed`, `http.too_large`, `StaleConnectionError`, or what the rows' callback throws.
 * Source: Koji contract 1 and 1.4.
 */
export function exchange(transport: HubTransport, call: Exchange): Promise<XmlRpcAnswer> {
  // Without the query: it is the key of a session.
  const where = `${transport.url.origin}${transport.url.pathname} ${call.method}`;
  return new Promise((resolve, reject) => {
    const request = openRequest(transport, call);
    let isSilent = false;
    request.setTimeout(transport.silenceMs, () => {
      isSilent = true;
      request.destroy(new Error('silence'));
    });
    request.on('error', (error) => {
      if (call.signal?.aborted === true) reject(error);
      else if (isSilent) reject(silent(where, transport.silenceMs));
      else if (request.reusedSocket) reject(new StaleConnectionError(messageOf(error)));
      else reject(unreachable(where, error));
    });
    request.on('response', (response) => {
      const answer =
        response.statusCode === 200 ? readAnswerOf(response, call, where) : refusal(response, where);
      answer.then(resolve, (error: unknown) => {
        request.destroy();
        reject(isSilent ? silent(where, transport.silenceMs) : error);
      });
    });
    request.end(call.body);
  });
}

function openRequest(transport: HubTransport, call: Exchange): ClientRequest {
  const body = Buffer.byteLength(call.body);
  const isHttps = transport.url.protocol === 'https:';
  const send = isHttps ? requestHttps : requestHttp;
  return send(transport.url, {
    method: 'POST',
    agent: call.isFresh ? false : transport.agent,
    headers: {
      'Content-Type': 'text/xml',
      'Content-Length': body,
      'User-Agent': transport.userAgent,
      'Accept-Encoding': 'gzip, deflate',
      ...transport.headers,
    },
    ...(call.signal === undefined ? {} : { signal: call.signal }),
    ...(isHttps && transport.authorities !== undefined ? { ca: transport.authorities } : {}),
    ...(isHttps && transport.certificate !== undefined
      ? { cert: transport.certificate, key: transport.certificate }
      : {}),
  });
}

async function readAnswerOf(response: IncomingMessage, call: Exchange, where: string): Promise<XmlRpcAnswer> {
  const isFromHub = response.headers['koji-version'] !== undefined;
  const reader = new XmlRpcReader(call.rows);
  try {
    await pushAll(decoded(response), response, reader);
    return reader.end();
  } catch (error) {
    if (call.signal?.aborted === true) throw error;
    if (error instanceof XmlRpcSizeError) throw tooLarge(where, error);
    if (!(error instanceof XmlRpcSyntaxError)) {
      if (error instanceof CutError) throw cut(where, error.cause);
      throw error;
    }
    if (!isFromHub) throw malformed(where, 'something else than a Koji hub answered', error);
    throw malformed(where, error.message, error);
  }
}

class CutError extends Error {}

function decoded(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding === 'gzip' || encoding === 'x-gzip') return response.pipe(createGunzip());
  if (encoding === 'deflate') return response.pipe(createInflate());
  return response;
}

function pushAll(stream: Readable, response: IncomingMessage, reader: XmlRpcReader): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      // Destroying makes the stream fail too: the first reason must be in place before.
      reject(error instanceof Error ? error : new Error(String(error)));
      response.destroy();
    };
    const failCut = (cause: unknown): void => fail(new CutError('cut', { cause }));
    stream.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        fail(error);
      }
    });
    stream.on('error', failCut);
    stream.on('end', resolve);
    if (stream !== response) response.on('error', failCut);
    response.on('aborted', failCut);
  });
}

async function refusal(response: IncomingMessage, where: string): Promise<never> {
  let body = '';
  for await (const chunk of response) {
    body += String(chunk);
    if (body.length >= MAX_ERROR_BODY) break;
  }
  const isFromHub = response.headers['koji-version'] !== undefined;
  throw refusalOf({ status: response.statusCode ?? 0, body, isFromHub }, where);
}

/** Returns the error that an answer of another status than 200 is: `koji.hub_unavailable` or `koji.hub_refused`. */
export function refusalOf(
  answer: { readonly status: number; readonly body: string; readonly isFromHub: boolean },
  where: string,
): ReactorError {
  const { status, body, isFromHub } = answer;
  const said = body
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
  const text = said === '' ? '' : `: ${said}`;
  const isPassing = status >= 500 || status === 408 || status === 429;
  if (isPassing) {
    return new ReactorError(
      'koji.hub_unavailable',
      `${isFromHub ? 'The Koji hub' : 'A proxy before the Koji hub'} answered ${status}${text}`,
      { where, fate: 'retry' },
    );
  }
  return new ReactorError('koji.hub_refused', `The Koji hub's address answered ${status}${text}`, {
    where,
    hint: 'Look whether the hub URL of the Koji profile is right; it usually ends in /kojihub.',
  });
}

/** Reads an answer that is there as a whole. Throws `koji.answer_malformed`. */
export function readWholeAnswer(bytes: Buffer, where: string): XmlRpcAnswer {
  const reader = new XmlRpcReader(undefined);
  try {
    reader.push(bytes);
    return reader.end();
  } catch (error) {
    if (!(error instanceof XmlRpcSyntaxError)) throw error;
    throw malformed(where, 'something else than a Koji hub answered', error);
  }
}

function silent(where: string, silenceMs: number): ReactorError {
  return new ReactorError('koji.hub_silent', `The Koji hub said nothing for ${silenceMs / 1000} s.`, {
    where,
    fate: 'retry',
  });
}

function unreachable(where: string, cause: unknown): ReactorError {
  return new ReactorError('koji.hub_unreachable', `The Koji hub cannot be reached: ${messageOf(cause)}`, {
    where,
    fate: 'retry',
    cause,
    hint: 'Look whether the hub URL of the Koji profile is right and the host can be reached from here.',
  });
}

function tooLarge(where: string, cause: XmlRpcSizeError): ReactorError {
  return new ReactorError('http.too_large', `The Koji hub sends ${cause.message}.`, { where, cause });
}

function cut(where: string, cause: unknown): ReactorError {
  return new ReactorError('koji.answer_cut', "The Koji hub's answer broke off in the middle.", {
    where,
    fate: 'retry',
    cause,
  });
}

function malformed(where: string, why: string, cause: unknown): ReactorError {
  return new ReactorError('koji.answer_malformed', `The answer is not XML-RPC of a Koji hub: ${why}.`, {
    where,
    fate: 'retry',
    cause,
  });
}

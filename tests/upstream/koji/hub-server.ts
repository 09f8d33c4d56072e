import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import {
  isArray,
  isStruct,
  type XmlRpcKeywords,
  type XmlRpcValue,
} from '../../../src/upstream/koji/xml-rpc-value.ts';
import { writeValue } from '../../../src/upstream/koji/xml-rpc-write.ts';
import { readCallWithSaxes } from './xml-rpc-saxes.ts';

/** A call as the server understood it. */
export interface ServedCall {
  readonly method: string;
  readonly args: readonly XmlRpcValue[];
  readonly keywords: XmlRpcKeywords;
  /** Who is logged in by the session that the call names; absent for calls without one. */
  readonly user?: string;
}

/** What the server answers with: a value, or the bytes of a recorded answer. */
export type ServedAnswer = { readonly value: XmlRpcValue } | { readonly bytes: Buffer };

/** The fault of a hub that is out of order: it refuses a whole multicall. Source: Koji contract 1.3. */
export const FAULT_OFFLINE = 1014;

/** A fault to throw out of an answering function. */
export class ServedFault extends Error {
  readonly code: number;
  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

/** What goes wrong with one request. */
export type Trouble =
  | { readonly kind: 'fault'; readonly code: number; readonly text: string }
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'status'; readonly status: number; readonly body: string }
  | { readonly kind: 'html' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' };

export interface HubServer {
  readonly url: string;
  /** Every call that came, multicalls taken apart. */
  readonly calls: ServedCall[];
  /** Requests that came over HTTP. */
  readonly requests: { count: number };
  /** Connections that were opened. */
  readonly connections: { count: number };
  /** Troubles of the next requests, first in first out. */
  readonly troubles: Trouble[];
  close(): Promise<void>;
}

export interface HubServerOptions {
  readonly gzip?: boolean;
  /** PEM of the server, and of the authority of clients, who log in by their certificates; HTTP without it. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca: string };
  /** Whether users log in by the header `X-Remote-User` of a server in front instead. */
  readonly isBehindFront?: boolean;
  /** Whether sessions stand in the URL only, as with old hubs. */
  readonly isOld?: boolean;
}

/** Source: Koji's client, `_prepCall`. */
interface Session {
  readonly user: string;
  readonly key: string;
  /** The number of the next call. */
  next: number;
}

/** A hub on a free port of the loopback interface that answers as the function says. */
export async function startHubServer(
  answer: (call: ServedCall) => ServedAnswer,
  options: HubServerOptions = {},
): Promise<HubServer> {
  const calls: ServedCall[] = [];
  const troubles: Trouble[] = [];
  const requests = { count: 0 };
  const connections = { count: 0 };
  const sockets = new Set<Socket>();
  const sessions = new Map<string, Session>();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void serve(request, response);
  };
  const server =
    options.tls === undefined
      ? createServer(onRequest)
      : createTlsServer({ ...options.tls, requestCert: true, rejectUnauthorized: false }, onRequest);
  server.on('connection', (socket) => {
    connections.count += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.count += 1;
    const body = await readBody(request);
    const trouble = troubles.shift();
    if (trouble?.kind === 'reset') {
      // A connection under TLS can only be closed.
      if (request.socket instanceof TLSSocket) request.socket.destroy();
      else request.socket.resetAndDestroy();
      return;
    }
    if (trouble?.kind === 'silence') return;
    if (trouble?.kind === 'status') {
      response.writeHead(trouble.status, { 'Content-Type': 'text/html' }).end(trouble.body);
      return;
    }
    if (trouble?.kind === 'html') {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html><body>Log in first</body></html>');
      return;
    }
    const bytes =
      trouble?.kind === 'fault'
        ? faultBytes(new ServedFault(trouble.code, trouble.text))
        : bytesFor(body, request);
    const sent = options.gzip === true ? gzipSync(bytes) : bytes;
    response.writeHead(200, {
      'Content-Type': 'text/xml',
      'Content-Length': sent.length,
      'Koji-Version': '1.35.3',
      ...(options.gzip === true ? { 'Content-Encoding': 'gzip' } : {}),
    });
    if (trouble?.kind !== 'cut') {
      response.end(sent);
      return;
    }
    response.write(sent.subarray(0, trouble.afterBytes), () => request.socket.destroy());
  }

  function bytesFor(body: string, request: IncomingMessage): Buffer {
    try {
      const served = served1(body, request);
      return 'bytes' in served ? served.bytes : answerBytes(served.value);
    } catch (error) {
      if (error instanceof ServedFault) return faultBytes(error);
      throw error;
    }
  }

  /** Who has a certificate of the authority, or whom the server in front names. */
  function callerOf({ socket, headers }: IncomingMessage): string | undefined {
    if (options.isBehindFront === true) return headers['x-remote-user']?.toString();
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
    const name = socket.getPeerCertificate().subject?.CN;
    return Array.isArray(name) ? name[0] : name;
  }

  function logIn(request: IncomingMessage): ServedAnswer {
    const user = callerOf(request);
    if (user === undefined || request.url?.endsWith('/ssllogin') !== true) {
      throw new ServedFault(1002, 'could not verify client: no certificate');
    }
    const id = String(1000 + sessions.size);
    sessions.set(id, { user, key: `key-${id}`, next: 0 });
    const isNew = options.isOld !== true;
    return {
      value: {
        'session-id': Number(id),
        'session-key': `key-${id}`,
        ...(isNew ? { 'header-auth': true } : {}),
      },
    };
  }

  function userOf({ headers, url = '' }: IncomingMessage): { user?: string } {
    const query = new URL(url, 'http://hub').searchParams;
    const told = (header: string, name: string): string | undefined =>
      options.isOld === true ? (query.get(name) ?? undefined) : headers[header]?.toString();
    const id = told('koji-session-id', 'session-id');
    if (id === undefined) return {};
    const session = sessions.get(id);
    if (session === undefined || told('koji-session-key', 'session-key') !== session.key) {
      throw new ServedFault(1002, 'Invalid session or bad credentials');
    }
    const number = Number(told('koji-session-callnum', 'callnum'));
    if (number < session.next) throw new ServedFault(1010, `call ${number} is out of sequence`);
    session.next = number + 1;
    return { user: session.user };
  }

  function served1(body: string, request: IncomingMessage): ServedAnswer {
    const { method, params } = readCallWithSaxes(body);
    if (method === 'sslLogin') return logIn(request);
    const call = { ...callOf(method, params), ...userOf(request) };
    if (method !== 'multiCall') {
      calls.push(call);
      return answer(call);
    }
    const entries = call.args[0];
    return { value: isArray(entries) ? entries.map(servedEntry) : [] };
  }

  function servedEntry(entry: XmlRpcValue): XmlRpcValue {
    const method = isStruct(entry) ? String(entry['methodName']) : '';
    const params = isStruct(entry) ? entry['params'] : [];
    const call = callOf(method, isArray(params) ? params : []);
    calls.push(call);
    try {
      const served = answer(call);
      if ('bytes' in served) throw new Error('a recorded answer inside a multicall');
      return [served.value];
    } catch (error) {
      if (!(error instanceof ServedFault) || error.code === FAULT_OFFLINE) throw error;
      return { faultCode: error.code, faultString: error.message, traceback: [] };
    }
  }

  const address = await listen(server);
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}/kojihub`,
    calls,
    requests,
    connections,
    troubles,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Takes the keywords out of the parameters of a call. Source: Koji contract 1.1. */
export function callOf(method: string, params: readonly XmlRpcValue[]): ServedCall {
  const last = params.at(-1);
  if (!isStruct(last) || last['__starstar'] !== true) return { method, args: params, keywords: {} };
  const { __starstar, ...keywords } = last;
  return { method, args: params.slice(0, -1), keywords };
}

function answerBytes(value: XmlRpcValue): Buffer {
  return Buffer.from(
    `<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n${writeValue(value)}\n</param>\n</params>\n</methodResponse>\n`,
  );
}

function faultBytes(fault: ServedFault): Buffer {
  const value = writeValue({ faultCode: fault.code, faultString: fault.message });
  return Buffer.from(
    `<?xml version='1.0'?>\n<methodResponse>\n<fault>\n${value}\n</fault>\n</methodResponse>\n`,
  );
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function listen(server: Server): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address);
    });
  });
}

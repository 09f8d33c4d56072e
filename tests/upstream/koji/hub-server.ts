import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
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
  const server = createServer((request, response) => {
    void serve(request, response);
  });
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
      request.socket.resetAndDestroy();
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
      trouble?.kind === 'fault' ? faultBytes(new ServedFault(trouble.code, trouble.text)) : bytesFor(body);
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

  function bytesFor(body: string): Buffer {
    try {
      const served = served1(body);
      return 'bytes' in served ? served.bytes : answerBytes(served.value);
    } catch (error) {
      if (error instanceof ServedFault) return faultBytes(error);
      throw error;
    }
  }

  function served1(body: string): ServedAnswer {
    const { method, params } = readCallWithSaxes(body);
    const call = callOf(method, params);
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
    url: `http://127.0.0.1:${address.port}/kojihub`,
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

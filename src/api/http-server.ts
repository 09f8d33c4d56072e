import { getRequestListener, RequestError } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { randomUUID } from 'node:crypto';
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import type { Log } from '../log.ts';
import type { ApiEnv } from './context.ts';
import { writeFilePart } from './file-part.ts';
import { ApiProblem, problemResponse, problemText } from './problem.ts';

export interface HttpServerInput {
  /** Serves a request; undefined while the service starts or stops. */
  readonly fetch: (
    request: Request,
    bindings: ApiEnv['Bindings'],
  ) => Response | Promise<Response> | undefined;
  readonly log: Log;
  /** Certificate, key and authorities of clients; null for HTTP without TLS. */
  readonly tls: SecureContextOptions | null;
}

/** How long a TLS session may be taken up again without its certificates being looked at. */
const SESSION_SECONDS = 300;

/**
 * Creates the HTTP server, not yet listening. What never reaches a route is answered as a problem of ours too: bytes
 * that are no HTTP, an address or Host that is none, a process that starts or stops. HTTP/1.0 may leave out the Host,
 * as plain load balancers do.
 */
export function createHttpServer({ fetch, log, tls }: HttpServerInput): Server | TlsServer {
  const listener = getRequestListener(
    async (request, { incoming, outgoing }) => {
      const bindings: ApiEnv['Bindings'] = { incoming, outgoing };
      const response = await (fetch(request, bindings) ?? problemResponse(notReady(), randomUUID()));
      const { filePart } = bindings;
      if (filePart === undefined) return response;
      outgoing.statusCode = response.status;
      for (const [name, value] of response.headers) outgoing.setHeader(name, value);
      await writeFilePart(outgoing, filePart);
      return RESPONSE_ALREADY_SENT;
    },
    {
      errorHandler: (error) => {
        const requestId = randomUUID();
        if (error instanceof RequestError) {
          const response = problemResponse(
            malformed(`The request has no address: ${error.message}.`),
            requestId,
          );
          response.headers.set('Connection', 'close');
          return response;
        }
        log.error({ err: error, requestId }, 'A request could not be served');
        return problemResponse(unexpected(), requestId);
      },
    },
  );
  const answers = new WeakMap<Duplex, ServerResponse>();
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    answers.set(incoming.socket, outgoing);
    if (!incoming.headers.host) {
      if (incoming.httpVersion !== '1.0') {
        const text = problemText(malformed('The request has no Host.'), randomUUID());
        outgoing.writeHead(400, { ...problemHeaders, 'Content-Length': text.length }).end(text);
        return;
      }
      incoming.headers.host = addressOf(incoming.socket);
    }
    void listener(incoming, outgoing);
  };
  const server =
    tls === null
      ? createServer({ requireHostHeader: false }, serve)
      : createTlsServer(
          {
            ...tls,
            requireHostHeader: false,
            // Reading needs no certificate; one that is wrong is refused with a sentence where something changes.
            requestCert: tls.ca !== undefined,
            rejectUnauthorized: false,
            sessionTimeout: SESSION_SECONDS,
          },
          serve,
        );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    log.debug({ err: error }, 'A connection brought no request');
    const answer = answers.get(socket);
    const isInAnswer = answer?.headersSent === true && !answer.writableFinished;
    // Who speaks no TLS gets no answer through it.
    const isHandshake = socket instanceof TLSSocket && socket.getProtocol() === null;
    if (error.code === 'ECONNRESET' || !socket.writable || isInAnswer || isHandshake) socket.destroy();
    else socket.end(rawResponse(unreadable(error)));
  });
  return server;
}

const problemHeaders = { 'Content-Type': 'application/json', Connection: 'close' };

/** The address a client connected to, as a Host header names it. */
function addressOf({ localAddress = '127.0.0.1', localPort = 80 }: Socket): string {
  const plain = localAddress.replace(/^::ffff:(?=\d+\.)/, '');
  return `${plain.includes(':') ? `[${plain}]` : plain}:${localPort}`;
}

function rawResponse(problem: ApiProblem): string {
  const text = problemText(problem, randomUUID());
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
    '',
    text,
  ].join('\r\n');
}

function malformed(message: string): ApiProblem {
  return new ApiProblem(400, 'request.malformed', message);
}

function notReady(): ApiProblem {
  return new ApiProblem(503, 'server.not_ready', 'The service is starting or stopping.', {
    retryAfterSeconds: 1,
  });
}

function unexpected(): ApiProblem {
  return new ApiProblem(500, 'internal.unexpected', 'Something went wrong inside the service.');
}

function unreadable({ code }: NodeJS.ErrnoException): ApiProblem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ApiProblem(431, 'request.malformed', 'The headers of the request are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ApiProblem(408, 'request.malformed', 'The request took too long to arrive.');
    case 'HPE_INVALID_METHOD':
      return malformed('The method of the request is none that HTTP knows.');
    default:
      return malformed('The request is not HTTP.');
  }
}

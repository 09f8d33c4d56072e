import type { AddressInfo } from 'node:net';
import type { ApiApp } from '../api/context.ts';
import { createHttpServer } from '../api/http-server.ts';
import type { Log } from '../log.ts';
import { messageOf, ReactorError } from '../model/errors.ts';

/** A listening HTTP server that serves an application once it has one. */
export interface HttpServer extends AsyncDisposable {
  /** Where it listens, without a final slash. */
  readonly url: string;
  /** What is served; null answers 503. */
  app: ApiApp | null;
}

/** Listens. Throws `server.address_in_use`. */
export async function startHttpServer(
  { host, port }: { readonly host: string; readonly port: number },
  log: Log,
): Promise<HttpServer> {
  let app: ApiApp | null = null;
  const server = createHttpServer({ fetch: (request, bindings) => app?.fetch(request, bindings), log });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new ReactorError('server.address_in_use', `The HTTP server cannot listen: ${messageOf(error)}.`, {
          where: `${host}:${port}`,
          hint: 'Choose another with ODCS_PORT (0 takes a free one) and ODCS_HOST.',
          fate: 'halt',
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  const address: string | AddressInfo | null = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name === '0.0.0.0' || name === '[::]' ? '127.0.0.1' : name}:${bound}`,
    get app() {
      return app;
    },
    set app(served) {
      app = served;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

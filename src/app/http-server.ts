import { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ApiApp } from '../api/context.ts';
import { createHttpServer } from '../api/http-server.ts';
import type { Log } from '../log.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import { readTlsFiles, watchTlsFiles, type TlsSettings } from './tls-files.ts';

/** A listening HTTP server that serves an application once it has one. */
export interface HttpServer extends AsyncDisposable {
  /** Where it listens, without a final slash. */
  readonly url: string;
  /** What is served; null answers 503. */
  app: ApiApp | null;
  /** Takes files of TLS that have changed into use now, not within a minute. */
  lookAtTls(): void;
  /** Accepts nothing more; what was begun is answered, so many milliseconds at most. */
  close(waitMs: number): Promise<void>;
}

/** Listens, over TLS where its files are set. Throws `server.address_in_use`, `config.invalid_value`. */
export async function startHttpServer(
  {
    host,
    port,
    hint = 'Choose another with ODCS_PORT (0 takes a free one) and ODCS_HOST.',
    tls: tlsSettings,
  }: {
    readonly host: string;
    readonly port: number;
    /** What to do where the address is taken. */
    readonly hint?: string;
    readonly tls?: TlsSettings;
  },
  log: Log,
): Promise<HttpServer> {
  let app: ApiApp | null = null;
  const tls = tlsSettings === undefined ? null : readTlsFiles(tlsSettings);
  const server = createHttpServer({ fetch: (request, bindings) => app?.fetch(request, bindings), log, tls });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new ReactorError('server.address_in_use', `The HTTP server cannot listen: ${messageOf(error)}.`, {
          where: `${host}:${port}`,
          hint,
          fate: 'halt',
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  const watch =
    tlsSettings !== undefined && server instanceof TlsServer ? watchTlsFiles(server, tlsSettings, log) : null;
  const close = (waitMs: number): Promise<void> =>
    new Promise<void>((resolve) => {
      watch?.[Symbol.dispose]();
      const limit = setTimeout(() => server.closeAllConnections(), waitMs);
      server.close(() => {
        clearTimeout(limit);
        resolve();
      });
      server.closeIdleConnections();
      if (waitMs === 0) server.closeAllConnections();
    });
  const address: string | AddressInfo | null = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === null ? 'http' : 'https'}://${name === '0.0.0.0' || name === '[::]' ? '127.0.0.1' : name}:${bound}`,
    get app() {
      return app;
    },
    set app(served) {
      app = served;
    },
    lookAtTls: () => watch?.look(),
    close: (waitMs) => close(waitMs),
    [Symbol.asyncDispose]: () => close(0),
  };
}

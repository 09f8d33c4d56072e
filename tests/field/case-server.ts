import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A server of a directory, each time with a habit of a server of the field as the first part of the path. */
export interface CaseServer extends AsyncDisposable {
  readonly url: string;
}

const redirects: Readonly<Record<string, number>> = {
  moved: 301,
  found: 302,
  temporary: 307,
  permanent: 308,
};

/**
 * Serves a directory: `/plain/` as it is, `/tamper/` with the last byte of every RPM changed, `/moved/`, `/found/`,
 * `/temporary/` and `/permanent/` by a redirect to `/plain/`, `/whole/` by a redirect to the whole URL.
 */
export async function serveCases(root: string): Promise<CaseServer> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const [, habit = '', rest = ''] = /^\/([^/]*)\/([^?]*)/.exec(request.url ?? '') ?? [];
    const status = redirects[habit];
    if (status !== undefined) return void response.writeHead(status, { Location: `/plain/${rest}` }).end();
    if (habit === 'whole') {
      return void response.writeHead(302, { Location: `${urlOf()}/plain/${rest}` }).end();
    }
    const path = join(root, decodeURIComponent(rest));
    if (!existsSync(path) || !statSync(path).isFile()) return void response.writeHead(404).end();
    const bytes = readFileSync(path);
    if (habit === 'tamper' && path.endsWith('.rpm')) {
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    }
    response.end(request.method === 'HEAD' ? undefined : bytes);
  };
  const server = createServer(answer);
  const urlOf = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: urlOf(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Path and query of every request, as they came. */
  readonly asked: string[];
}

/** A test, or a file of tests, that ends what was started for it. */
export interface Ending {
  readonly after: (end: () => void) => void;
}

/** Serves on a free port of a loopback address until the test ends. */
export async function serve(
  context: Ending,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  address = '127.0.0.1',
): Promise<TestServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://${address}:${port}`, port, asked };
}

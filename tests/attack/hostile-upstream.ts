import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** Serves one request below a base; `path` is what follows the base, without a leading slash. */
export type Serve = (
  path: string,
  response: ServerResponse,
  request: IncomingMessage,
) => void | Promise<void>;

/** Servers that lie, on loopback addresses. Only `localhost` may be asked by the service under attack. */
export interface HostileUpstream {
  /** Port of the server that the service may ask, as `localhost`. */
  readonly port: number;
  /** An address the service may not ask. */
  readonly forbidden: string;
  /** Another port of the host that the service may ask; nothing sent it there. */
  readonly otherPort: string;
  /** What the two above were asked for, in order. */
  readonly contacts: readonly string[];
  /** Serves below a new base from now on; returns the base, without a slash at its end. */
  serve(answer: Serve): string;
  /** Serves files by their paths below a new base. */
  serveFiles(files: ReadonlyMap<string, Buffer>): string;
  /** How the hub and the module build service answer from now on; null for a plain refusal. */
  setHub(answer: Serve | null): void;
  setModuleService(answer: Serve | null): void;
  stop(): Promise<void>;
}

/** Sends a chunk again and again until the other side has enough or `most` bytes were sent. Returns how many were. */
export async function pour(
  response: ServerResponse,
  chunk: Buffer,
  most: number,
  onSent: (bytes: number) => void = () => undefined,
): Promise<void> {
  let sent = 0;
  while (sent < most && !response.destroyed) {
    const isTaken = response.write(chunk);
    sent += chunk.length;
    onSent(sent - response.writableLength);
    if (!isTaken) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          response.off('drain', go);
          response.off('close', go);
          resolve();
        };
        response.once('drain', go);
        response.once('close', go);
      });
    }
  }
  response.destroy();
}

async function listen(host: string, answer: Serve): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    void Promise.resolve(answer(request.url ?? '/', response, request)).catch(() => response.destroy());
  });
  server.requestTimeout = 0;
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return { server, port };
}

const refuse: Serve = (_path, response) => {
  response.writeHead(404).end('nothing here');
};

/** Starts the hostile servers on free ports. */
export async function startHostileUpstream(): Promise<HostileUpstream> {
  const bases = new Map<string, Serve>();
  const contacts: string[] = [];
  let hub: Serve | null = null;
  let modules: Serve | null = null;
  const main = await listen('127.0.0.1', async (url, response, request) => {
    const [, base = '', ...rest] = url.split('/');
    const answer =
      base === 'hub' ? (hub ?? refuse) : base === 'mbs' ? (modules ?? refuse) : (bases.get(base) ?? refuse);
    await answer(rest.join('/'), response, request);
  });
  const canary =
    (name: string): Serve =>
    (url, response, request) => {
      contacts.push(`${name} ${request.method ?? ''} ${url}`);
      response.end('a secret of an internal service');
    };
  const forbidden = await listen('127.0.0.9', canary('forbidden host'));
  const other = await listen('127.0.0.1', canary('other port'));
  let count = 0;
  const serve = (answer: Serve): string => {
    count += 1;
    bases.set(`r${count}`, answer);
    return `http://localhost:${main.port}/r${count}`;
  };
  return {
    port: main.port,
    forbidden: `http://127.0.0.9:${forbidden.port}`,
    otherPort: `http://localhost:${other.port}`,
    contacts,
    serve,
    serveFiles: (files) =>
      serve((path, response) => {
        const content = files.get(decodeURIComponent(path));
        if (content === undefined) response.writeHead(404).end();
        else response.end(content);
      }),
    setHub: (answer) => (hub = answer),
    setModuleService: (answer) => (modules = answer),
    async stop() {
      for (const { server } of [main, forbidden, other]) {
        await new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        });
      }
    },
  };
}

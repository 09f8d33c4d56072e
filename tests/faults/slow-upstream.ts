import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** The slowest answers come after so many milliseconds. */
const SLOWEST_MS = 3_000;

export interface SlowUpstream extends AsyncDisposable {
  readonly url: string;
  /** From now on everything gets 503 until it is mended. */
  breakDown(): void;
  mend(): void;
}

/**
 * Serves a repository on the loopback interface under every `/fast/NAME` and `/slow/NAME`: below the second the
 * entrance and the packages take up to three seconds, by `delay`, a fraction.
 */
export async function startSlowUpstream(directory: string, delay: () => number): Promise<SlowUpstream> {
  let isBroken = false;
  const server = createServer(async (request, response) => {
    const [, speed, , ...rest] = new URL(request.url ?? '/', 'http://x').pathname.split('/');
    const path = join(directory, decodeURIComponent(rest.join('/')));
    const isSlow = speed === 'slow' && /(?:repomd\.xml|\.rpm)$/.test(path);
    if (isSlow) await pause(delay() * SLOWEST_MS);
    if (isBroken) response.writeHead(503).end();
    else if (existsSync(path)) response.end(readFileSync(path));
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    breakDown: () => {
      isBroken = true;
    },
    mend: () => {
      isBroken = false;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** What goes wrong with one request for a file. */
export type FileTrouble =
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'status'; readonly status: number };

export interface FileServer {
  readonly url: string;
  /** `METHOD path range` of every request. */
  readonly requests: string[];
  /** Bytes of bodies that were sent. */
  readonly sent: { bytes: number };
  /** The most requests that waited for an answer at once. */
  readonly most: { atOnce: number };
  readonly troubles: FileTrouble[];
  close(): Promise<void>;
}

/** Serves a directory on a free port of the loopback interface, with ranges or without, each answer after `delayMs`. */
export async function startFileServer(
  root: string,
  options: { readonly ranges?: boolean; readonly prefix?: string; readonly delayMs?: number } = {},
): Promise<FileServer> {
  const requests: string[] = [];
  const troubles: FileTrouble[] = [];
  const sent = { bytes: 0 };
  const most = { atOnce: 0 };
  let waiting = 0;
  const server = createServer(async (request, response) => {
    waiting += 1;
    most.atOnce = Math.max(most.atOnce, waiting);
    response.once('close', () => {
      waiting -= 1;
    });
    if (options.delayMs !== undefined) await pause(options.delayMs);
    const raw = (request.url ?? '').slice((options.prefix ?? '').length);
    const range = request.headers.range;
    requests.push(`${request.method ?? ''} ${raw} ${range ?? ''}`.trim());
    const trouble = troubles.shift();
    if (trouble?.kind === 'status') {
      response.writeHead(trouble.status).end();
      return;
    }
    const path = join(root, decodeURIComponent(raw));
    const entry = statSync(path, { throwIfNoEntry: false });
    if (entry === undefined || !entry.isFile()) {
      response.writeHead(404, { 'Content-Type': 'text/html' }).end('<h1>Not Found</h1>');
      return;
    }
    const whole = readFileSync(path);
    const match = options.ranges === false ? null : /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
    const start = match === null ? 0 : Number(match[1]);
    const end =
      match === null || match[2] === '' ? whole.length : Math.min(whole.length, Number(match[2]) + 1);
    if (start > 0 && start >= whole.length) {
      response.writeHead(416).end();
      return;
    }
    const body = whole.subarray(start, end);
    response.writeHead(match === null ? 200 : 206, {
      'Content-Length': body.length,
      'Last-Modified': entry.mtime.toUTCString(),
      ...(match === null ? {} : { 'Content-Range': `bytes ${start}-${end - 1}/${whole.length}` }),
    });
    if (request.method === 'HEAD') {
      response.end();
    } else if (trouble?.kind === 'cut') {
      response.write(body.subarray(0, trouble.afterBytes), () => request.socket.destroy());
    } else {
      sent.bytes += body.length;
      response.end(body);
    }
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    url: `http://127.0.0.1:${port}${options.prefix ?? ''}`,
    requests,
    sent,
    most,
    troubles,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

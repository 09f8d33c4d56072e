import { request } from 'node:http';
import type { Answer, AskOptions } from './attack.ts';

const MOST_KEPT = 4 * 2 ** 20;

/** Makes one request, whatever its headers; returns null where no whole answer came in time. */
export function ask(
  url: string,
  method: string,
  path: string,
  options: AskOptions & { readonly signal: AbortSignal },
): Promise<Answer | null> {
  const { hostname, port } = new URL(options.url ?? url);
  const body = options.body ?? '';
  return new Promise((resolve) => {
    const sent = request(
      {
        hostname,
        port,
        method,
        path,
        agent: false,
        headers: {
          ...options.headers,
          ...(body === '' ? {} : { 'Content-Length': Buffer.byteLength(body) }),
        },
        ...(options.from === undefined ? {} : { localAddress: options.from }),
        signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.patience ?? 20_000)]),
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          if (text.length < MOST_KEPT) text += chunk.toString();
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.once('error', () => resolve(null));
        response.once('close', () => resolve(null));
      },
    );
    sent.once('error', () => resolve(null));
    sent.end(body);
  });
}

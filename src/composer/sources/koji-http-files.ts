import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { urlOfPath } from '../../upstream/koji/koji-path.ts';
import { fileMissing, type KojiFile, type KojiFiles } from './koji-files.ts';
import { mapBounded } from './map-bounded.ts';

export interface HttpFilesOptions {
  readonly topUrl: string;
  /** Requests at once. */
  readonly parallel?: number;
  /** PEM of the authorities the server's certificate may come from. */
  readonly authorities?: string;
  readonly tries?: number;
  readonly silenceMs?: number;
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

/** Files behind Koji's HTTP server; whole ones are fetched with `get`. */
export interface KojiHttpFiles extends KojiFiles {
  readonly parallel: number;
  /**
   * Asks for a file from an offset on and hands the body on. `from` is what the server really starts at: 0
   * where it knows no ranges. Throws `koji.file_missing`, `koji.files_unreachable`; the signal ends it, the body too.
   */
  get(
    path: string,
    offset: number,
    signal?: AbortSignal,
  ): Promise<{ readonly body: IncomingMessage; readonly from: number }>;
  /** The first bytes of a file, with what the server says of all of it. Throws as `get` does. */
  start(path: string, length: number): Promise<FileStart>;
  close(): void;
}

/** The beginning of a file behind an HTTP server. */
export interface FileStart extends KojiFile {
  readonly bytes: Uint8Array;
}

interface Answer {
  readonly response: IncomingMessage;
  readonly status: number;
}

/**
 * Opens the HTTP server of a Koji. One that answers no ranges is read from the start of each file and cut off.
 * Source: Koji contract 5.
 */
export function openHttpFiles(options: HttpFilesOptions): KojiHttpFiles {
  const parallel = options.parallel ?? 8;
  const tries = options.tries ?? 4;
  const isHttps = options.topUrl.startsWith('https:');
  const agent = new (isHttps ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: parallel });
  const sleep = options.sleep ?? (async (milliseconds) => void (await wait(milliseconds)));

  const ask = (method: string, url: string, range: string | null, signal?: AbortSignal): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = (isHttps ? requestHttps : requestHttp)(url, {
        method,
        agent,
        headers: { 'User-Agent': 'odcs-reactor', ...(range === null ? {} : { Range: range }) },
        ...(options.authorities === undefined ? {} : { ca: options.authorities }),
        ...(signal === undefined ? {} : { signal }),
      });
      request.setTimeout(options.silenceMs ?? 60_000, () => request.destroy(new Error('it said nothing')));
      request.on('error', reject);
      request.on('response', (response) => resolve({ response, status: response.statusCode ?? 0 }));
      request.end();
    });

  const retrying = async <Result>(
    url: string,
    once: () => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once();
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof ReactorError && error.fate !== 'retry') throw error;
        if (attempt >= tries) throw unreachable(url, error);
        if (attempt > 1) await sleep(250 * 2 ** attempt);
      }
    }
  };

  const get: KojiHttpFiles['get'] = (path, offset, signal) => {
    const url = urlOfPath(options.topUrl, path);
    const once = async () => {
      const answer = await ask('GET', url, offset === 0 ? null : `bytes=${offset}-`, signal);
      const from = startOf(url, answer);
      return { body: answer.response, from };
    };
    return retrying(url, once, signal);
  };

  const read = (path: string, offset: number, length: number): Promise<Uint8Array> => {
    const url = urlOfPath(options.topUrl, path);
    return retrying(url, async () => {
      const answer = await ask('GET', url, `bytes=${offset}-${offset + length - 1}`);
      if (answer.status === 416) {
        answer.response.resume();
        return Buffer.alloc(0);
      }
      const from = startOf(url, answer);
      return readBody(answer.response, offset - from, length);
    });
  };

  const start = (path: string, length: number): Promise<FileStart> => {
    const url = urlOfPath(options.topUrl, path);
    return retrying(url, async () => {
      const answer = await ask('GET', url, `bytes=0-${length - 1}`);
      startOf(url, answer);
      const { headers } = answer.response;
      const total = /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1] ?? headers['content-length'];
      if (total === undefined) throw refused(url, answer.status);
      return {
        bytes: await readBody(answer.response, 0, length),
        size: Number(total),
        modified: Date.parse(headers['last-modified'] ?? '') || 0,
      };
    });
  };

  const lookAt = (path: string): Promise<KojiFile | null> => {
    const url = urlOfPath(options.topUrl, path);
    return retrying(url, async () => {
      const { response, status } = await ask('HEAD', url, null);
      response.resume();
      if (status === 404 || status === 410) return null;
      if (status !== 200) throw refused(url, status);
      return {
        size: Number(response.headers['content-length'] ?? -1),
        modified: Date.parse(response.headers['last-modified'] ?? '') || 0,
      };
    });
  };

  return {
    where: options.topUrl,
    parallel,
    localPath: () => null,
    look: (paths) => mapBounded(paths, parallel, lookAt),
    read,
    get,
    start,
    close: () => agent.destroy(),
  };
}

/** The offset at which the body of an answer starts. */
function startOf(url: string, { response, status }: Answer): number {
  if (status === 200) return 0;
  if (status === 206) {
    const from = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
    if (from !== undefined) return Number(from);
  }
  response.resume();
  if (status === 404 || status === 410) throw fileMissing(url);
  throw refused(url, status);
}

async function readBody(response: IncomingMessage, skip: number, length: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let held = 0;
  let isWhole = true;
  for await (const chunk of response) {
    chunks.push(Buffer.from(chunk));
    held += chunk.length;
    if (held >= skip + length && !response.complete) {
      // The rest of a file that was asked for in part; breaking the connection is cheaper than reading it.
      isWhole = false;
      break;
    }
  }
  if (isWhole && !response.complete) throw new Error('the answer broke off');
  return Buffer.concat(chunks).subarray(skip, skip + length);
}

function refused(url: string, status: number): ReactorError {
  return new ReactorError('koji.files_refused', `Koji's file server answered ${status}.`, {
    where: url,
    fate: status >= 500 || status === 408 || status === 429 ? 'retry' : 'drop',
    hint: 'Look whether topurl of the Koji profile is right and may be read without logging in.',
  });
}

function unreachable(url: string, cause: unknown): ReactorError {
  if (cause instanceof ReactorError) return cause;
  return new ReactorError('koji.files_unreachable', `Koji's file server fails: ${messageOf(cause)}`, {
    where: url,
    fate: 'retry',
    cause,
  });
}
